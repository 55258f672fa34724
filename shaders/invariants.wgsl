// n/(1 + n) with n = √(|v|² + 1e-6), one lane a vector; see src/ops/invariants.rs.

struct Sizes { channels: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> lengths: array<f32>;
@group(0) @binding(5) var<storage, read> d_lengths: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_v: array<f32>;

fn vector(first: u32) -> vec3<f32> {
    return vec3<f32>(v[first], v[first + sizes.channels], v[first + 2u * sizes.channels]);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= token_count() * sizes.channels) { return; }
    let r = vector(at / sizes.channels * 3u * sizes.channels + at % sizes.channels);
    let length = sqrt(dot(r, r) + EPSILON);
    lengths[at] = length / (1.0 + length);
}

@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= token_count() * sizes.channels) { return; }
    let first = at / sizes.channels * 3u * sizes.channels + at % sizes.channels;
    let r = vector(first);
    let length = sqrt(dot(r, r) + EPSILON);
    let slope = d_lengths[at] / (length * (1.0 + length) * (1.0 + length));
    for (var h = 0u; h < 3u; h += 1u) {
        d_v[first + h * sizes.channels] += slope * r[h];
    }
}
