// The mean over a system's tokens, at every token of it, one group a number of a system; see
// src/ops/mean.rs.

struct Sizes { row: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> d_y: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let system = place(group, groups) / sizes.row;
    let column = place(group, groups) % sizes.row;
    if (system >= system_count()) { return; }
    let first = first_token(system);
    let end = first_token(system + 1u);
    var own = 0.0;
    for (var token = first + lane; token < end; token += LANES) {
        own += x[token * sizes.row + column];
    }
    let mean = sum_of_lanes(lane, own) / f32(max(end - first, 1u));
    for (var token = first + lane; token < end; token += LANES) {
        y[token * sizes.row + column] = mean;
    }
}

// A mean is its own adjoint.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let system = place(group, groups) / sizes.row;
    let column = place(group, groups) % sizes.row;
    if (system >= system_count()) { return; }
    let first = first_token(system);
    let end = first_token(system + 1u);
    var own = 0.0;
    for (var token = first + lane; token < end; token += LANES) {
        own += d_y[token * sizes.row + column];
    }
    let mean = sum_of_lanes(lane, own) / f32(max(end - first, 1u));
    for (var token = first + lane; token < end; token += LANES) {
        d_x[token * sizes.row + column] += mean;
    }
}
