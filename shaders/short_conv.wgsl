// A convolution with a few weights along the tokens of a system, one lane a number; see
// src/ops/short_conv.rs.

struct Sizes { components: u32, channels: u32, reach: u32, tokens_of_chunk: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> d_y: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_x: array<f32>;
@group(0) @binding(8) var<storage, read_write> partial: array<f32>;

// First of the tokens that one sees, and the one behind the last.
fn seen(token: u32) -> vec2<u32> {
    let system = system_of(token);
    let first = max(token - min(token, sizes.reach), first_token(system));
    return vec2<u32>(first, min(token + sizes.reach + 1u, first_token(system + 1u)));
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let row = sizes.components * sizes.channels;
    if (at >= token_count() * row) { return; }
    let token = at / row;
    let ends = seen(token);
    var sum = 0.0;
    for (var other = ends.x; other < ends.y; other += 1u) {
        let place_of_weight = (other + sizes.reach - token) * sizes.channels;
        sum += weight[place_of_weight + at % sizes.channels] * x[other * row + at % row];
    }
    y[at] = sum;
}

@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let row = sizes.components * sizes.channels;
    if (at >= token_count() * row) { return; }
    let token = at / row;
    let ends = seen(token);
    var sum = 0.0;
    for (var other = ends.x; other < ends.y; other += 1u) {
        let place_of_weight = (token + sizes.reach - other) * sizes.channels;
        sum += weight[place_of_weight + at % sizes.channels] * d_y[other * row + at % row];
    }
    d_x[at] += sum;
}

// One lane a weight and chunk of tokens.
@compute @workgroup_size(LANES)
fn backward_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let numbers = (2u * sizes.reach + 1u) * sizes.channels;
    let chunk = at / numbers;
    let first = chunk * sizes.tokens_of_chunk;
    if (first >= token_count()) { return; }
    let end = min(first + sizes.tokens_of_chunk, token_count());
    let row = sizes.components * sizes.channels;
    let channel = at % sizes.channels;
    let step = at % numbers / sizes.channels;
    var sum = 0.0;
    for (var token = first; token < end; token += 1u) {
        let ends = seen(token);
        let other = token + step - sizes.reach;
        // one before the first token of all is past the end of every system
        if (other < ends.x || other >= ends.y) { continue; }
        for (var h = 0u; h < sizes.components; h += 1u) {
            let place_in_row = h * sizes.channels + channel;
            sum += d_y[token * row + place_in_row] * x[other * row + place_in_row];
        }
    }
    partial[at] = sum;
}
