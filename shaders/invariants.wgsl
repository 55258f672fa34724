// n/(1 + n) with n = √(|v|² + 1e-6), one lane a vector or tensor; see src/ops/invariants.rs.

struct Sizes { components: u32, channels: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> lengths: array<f32>;
@group(0) @binding(5) var<storage, read> d_lengths: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_v: array<f32>;

// Place of the first component.
fn first_of(at: u32) -> u32 {
    return at / sizes.channels * sizes.components * sizes.channels + at % sizes.channels;
}

fn length_of(first: u32) -> f32 {
    var square = 0.0;
    for (var h = 0u; h < sizes.components; h += 1u) {
        let component = v[first + h * sizes.channels];
        square += component * component;
    }
    return sqrt(square + EPSILON);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= token_count() * sizes.channels) { return; }
    let length = length_of(first_of(at));
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
    let first = first_of(at);
    let length = length_of(first);
    let slope = d_lengths[at] / (length * (1.0 + length) * (1.0 + length));
    for (var h = 0u; h < sizes.components; h += 1u) {
        d_v[first + h * sizes.channels] += slope * v[first + h * sizes.channels];
    }
}
