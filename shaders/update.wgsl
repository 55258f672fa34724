// w = v + σ(g) u, v' = w / √(1 + mean |w|² / 16), one group a token; see src/ops/update.rs.

struct Sizes { components: u32, channels: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> u: array<f32>;
@group(0) @binding(5) var<storage, read> g: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
@group(0) @binding(7) var<storage, read> d_out: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_v: array<f32>;
@group(0) @binding(9) var<storage, read_write> d_u: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_g: array<f32>;

fn sum_at(token: u32, index: u32) -> f32 {
    let at = token * sizes.components * sizes.channels + index;
    return v[at] + sigmoid(g[token * sizes.channels + index % sizes.channels]) * u[at];
}

fn limit_of(lane: u32, token: u32) -> f32 {
    var own = 0.0;
    for (var index = lane; index < sizes.components * sizes.channels; index += LANES) {
        let w = sum_at(token, index);
        own += w * w;
    }
    return inverseSqrt(1.0 + sum_of_lanes(lane, own) / (f32(sizes.channels) * LIMIT));
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    let limit = limit_of(lane, token);
    for (var index = lane; index < sizes.components * sizes.channels; index += LANES) {
        out[token * sizes.components * sizes.channels + index] = sum_at(token, index) * limit;
    }
}

// With l = (1 + mean |w|²/16)^-½: d_w = l d_v' − l³ w (Σ w·d_v')/(16 K).
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    let n = sizes.channels;
    let first = token * sizes.components * n;
    let limit = limit_of(lane, token);
    var own = 0.0;
    for (var index = lane; index < sizes.components * n; index += LANES) {
        own += sum_at(token, index) * d_out[first + index];
    }
    let pull = sum_of_lanes(lane, own) * limit * limit * limit / (f32(n) * LIMIT);
    for (var k = lane; k < n; k += LANES) {
        let open = sigmoid(g[token * n + k]);
        var d_open = 0.0;
        for (var h = 0u; h < sizes.components; h += 1u) {
            let at = first + h * n + k;
            let d_w = d_out[at] * limit - sum_at(token, h * n + k) * pull;
            d_v[at] += d_w;
            d_u[at] += d_w * open;
            d_open += d_w * u[at];
        }
        d_g[token * n + k] += d_open * open * (1.0 - open);
    }
}
