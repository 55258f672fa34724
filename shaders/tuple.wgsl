// z = (α, r) / √(mean (α² + |r|²) + 1e-6), one group a token; see src/ops/tuple.rs.

struct Sizes {
    channels: u32,
    scalar_width: u32, scalar_first: u32,
    vector_width: u32, vector_first: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> scalars: array<f32>;
@group(0) @binding(4) var<storage, read> vectors: array<f32>;
@group(0) @binding(5) var<storage, read_write> z: array<f32>;
@group(0) @binding(6) var<storage, read> d_z: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_scalars: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_vectors: array<f32>;

fn scalar_at(token: u32, k: u32) -> u32 {
    return token * sizes.scalar_width + sizes.scalar_first + k;
}

fn vector_at(token: u32, component: u32, k: u32) -> u32 {
    return (token * 3u + component - 1u) * sizes.vector_width + sizes.vector_first + k;
}

// Element of a token's tuples: component, then channel.
fn element(token: u32, index: u32) -> f32 {
    let component = index / sizes.channels;
    let k = index % sizes.channels;
    if (component == 0u) { return scalars[scalar_at(token, k)]; }
    return vectors[vector_at(token, component, k)];
}

fn inverse_rms(lane: u32, token: u32) -> f32 {
    var own = 0.0;
    for (var index = lane; index < 4u * sizes.channels; index += LANES) {
        let value = element(token, index);
        own += value * value;
    }
    return inverseSqrt(sum_of_lanes(lane, own) / f32(sizes.channels) + EPSILON);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    let inverse = inverse_rms(lane, token);
    for (var index = lane; index < 4u * sizes.channels; index += LANES) {
        z[token * 4u * sizes.channels + index] = element(token, index) * inverse;
    }
}

// d += (d_z − z · mean(d_z z)) / rms.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    let inverse = inverse_rms(lane, token);
    let first = token * 4u * sizes.channels;
    var own = 0.0;
    for (var index = lane; index < 4u * sizes.channels; index += LANES) {
        own += z[first + index] * d_z[first + index];
    }
    let along = sum_of_lanes(lane, own) / f32(sizes.channels);
    for (var index = lane; index < 4u * sizes.channels; index += LANES) {
        let d = (d_z[first + index] - z[first + index] * along) * inverse;
        let component = index / sizes.channels;
        let k = index % sizes.channels;
        if (component == 0u) {
            d_scalars[scalar_at(token, k)] += d;
        } else {
            d_vectors[vector_at(token, component, k)] += d;
        }
    }
}
