// f = A(name) + R(residue) + P(place) + e(system); see src/ops/embed.rs.

struct Sizes {
    channels: u32,
    rows_name: u32, rows_residue: u32, rows_place: u32,
    tokens_of_chunk: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> e: array<f32>;
@group(0) @binding(4) var<storage, read> name: array<f32>;
@group(0) @binding(5) var<storage, read> residue: array<f32>;
@group(0) @binding(6) var<storage, read> chain_place: array<f32>;
@group(0) @binding(7) var<storage, read_write> f: array<f32>;
@group(0) @binding(8) var<storage, read> d_f: array<f32>;
@group(0) @binding(9) var<storage, read_write> d_e: array<f32>;
@group(0) @binding(10) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let c = sizes.channels;
    if (at >= token_count() * c) { return; }
    let token = at / c;
    let k = at % c;
    f[at] = e[system_of(token) * c + k] + name[kind(token, 0u) * c + k]
        + residue[kind(token, 1u) * c + k] + chain_place[kind(token, 2u) * c + k];
}

// d_e: one group a system and channel.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups);
    let c = sizes.channels;
    if (at >= system_count() * c) { return; }
    let system = at / c;
    var own = 0.0;
    for (var token = first_token(system) + lane; token < first_token(system + 1u); token += LANES) {
        own += d_f[token * c + at % c];
    }
    let all = sum_of_lanes(lane, own);
    if (lane == 0u) {
        d_e[at] += all;
    }
}

// The three tables one below the other: one group a chunk of tokens; a lane has its channels to
// itself.
@compute @workgroup_size(LANES)
fn backward_tables(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chunk = place(group, groups);
    let c = sizes.channels;
    let first = chunk * sizes.tokens_of_chunk;
    if (first >= token_count()) { return; }
    let rows = sizes.rows_name + sizes.rows_residue + sizes.rows_place;
    let table = chunk * rows * c;
    for (var k = lane; k < c; k += LANES) {
        for (var row = 0u; row < rows; row += 1u) {
            partial[table + row * c + k] = 0.0;
        }
        let end = min(first + sizes.tokens_of_chunk, token_count());
        for (var token = first; token < end; token += 1u) {
            let d = d_f[token * c + k];
            partial[table + kind(token, 0u) * c + k] += d;
            partial[table + (sizes.rows_name + kind(token, 1u)) * c + k] += d;
            partial[table + (sizes.rows_name + sizes.rows_residue + kind(token, 2u)) * c + k] += d;
        }
    }
}
