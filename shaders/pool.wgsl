// The sum of a scalar over each system times the system's scale, one group a system; see
// src/ops/pool.rs.

@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> total: array<f32>;
@group(0) @binding(5) var<storage, read> d_total: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let system = place(group, groups);
    if (system >= system_count()) { return; }
    var own = 0.0;
    for (var token = first_token(system) + lane; token < first_token(system + 1u); token += LANES) {
        own += x[token];
    }
    let all = sum_of_lanes(lane, own);
    if (lane == 0u) {
        total[system] = all * scales[system];
    }
}

@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups) * LANES + lane;
    if (token >= token_count()) { return; }
    let system = system_of(token);
    d_x[token] += d_total[system] * scales[system];
}
