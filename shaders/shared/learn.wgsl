// An update of the parameters: the norm of the gradient, then clipping, AdamW and the average; see
// src/train/optimizer.rs. Parameters and averages are pairs of numbers whose sum counts, so that
// thousands of small steps are not rounded away.

struct Sizes {
    len: u32, of_group: u32,
    learning_rate: f32, beta1: f32, beta2: f32, epsilon: f32, weight_decay: f32,
    bias1: f32, bias2: f32, clip: f32, moved: f32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
// Of each parameter: 0 it is none, 1 it does not shrink, 2 it does.
@group(0) @binding(4) var<storage, read> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> squares: array<f32>;
@group(0) @binding(6) var<storage, read_write> values: array<f32>;
@group(0) @binding(7) var<storage, read_write> rests: array<f32>;
@group(0) @binding(8) var<storage, read_write> means: array<f32>;
@group(0) @binding(9) var<storage, read_write> mean_squares: array<f32>;
@group(0) @binding(10) var<storage, read_write> averages: array<f32>;
@group(0) @binding(11) var<storage, read_write> average_rests: array<f32>;
@group(0) @binding(12) var<storage, read_write> norm: array<f32>;

// The sum of squares of each group's share, LANES groups.
@compute @workgroup_size(LANES)
fn measure(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = place(group, groups) * sizes.of_group;
    let end = min(start + sizes.of_group, sizes.len);
    var own = 0.0;
    for (var at = start + lane; at < end; at += LANES) {
        if (kinds[at] != 0u) { own += gradient[at] * gradient[at]; }
    }
    let all = sum_of_lanes(lane, own);
    if (lane == 0u) {
        squares[place(group, groups)] = all;
    }
}

// One lane a parameter.
@compute @workgroup_size(LANES)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let length = sqrt(sum_of_lanes(lane, squares[lane]));
    let at = place(group, groups) * LANES + lane;
    if (at == 0u) { norm[0] = length; }
    if (at >= sizes.len || kinds[at] == 0u) { return; }
    var g = gradient[at];
    if (length > sizes.clip) { g *= sizes.clip / length; }
    let mean = means[at] + (1.0 - sizes.beta1) * (g - means[at]);
    let square = mean_squares[at] + (1.0 - sizes.beta2) * (g * g - mean_squares[at]);
    means[at] = mean;
    mean_squares[at] = square;
    var change = mean / sizes.bias1 / (sqrt(square / sizes.bias2) + sizes.epsilon);
    if (kinds[at] == 2u) { change += sizes.weight_decay * values[at]; }
    let own = added(values[at], rests[at], -sizes.learning_rate * change);
    values[at] = own.x;
    rests[at] = own.y;
    let off = (own.x - averages[at]) + (own.y - average_rests[at]);
    let average = added(averages[at], average_rests[at], sizes.moved * off);
    averages[at] = average.x;
    average_rests[at] = average.y;
}

// A pair and a small change.
fn added(value: f32, rest: f32, change: f32) -> vec2<f32> {
    let small = rest + change;
    let sum = value + small;
    return vec2<f32>(sum, small - (sum - value));
}
