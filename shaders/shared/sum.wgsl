// total[start + i] += Σ_chunk partial[chunk · stride + offset + i], in a fixed order: one group an
// element, or for few chunks one lane.

struct Sizes { len: u32, chunks: u32, stride: u32, offset: u32, start: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> partial: array<f32>;
@group(0) @binding(4) var<storage, read_write> total: array<f32>;

@compute @workgroup_size(LANES)
fn sum(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let element = place(group, groups);
    if (element >= sizes.len) { return; }
    var own = 0.0;
    for (var chunk = lane; chunk < sizes.chunks; chunk += LANES) {
        own += partial[chunk * sizes.stride + sizes.offset + element];
    }
    let all = sum_of_lanes(lane, own);
    if (lane == 0u) {
        total[sizes.start + element] += all;
    }
}

@compute @workgroup_size(LANES)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let element = place(group, groups) * LANES + lane;
    if (element >= sizes.len) { return; }
    var all = 0.0;
    for (var chunk = 0u; chunk < sizes.chunks; chunk += 1u) {
        all += partial[chunk * sizes.stride + sizes.offset + element];
    }
    total[sizes.start + element] += all;
}
