// (a, r) = σ(g + 1) u, (b, s) = v: α = a b + r·s, ρ = a s + b r + r × s, one lane a tuple; see
// src/ops/gate.rs.

struct Sizes { channels: u32, gate_width: u32, gate_first: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> u: array<f32>;
@group(0) @binding(4) var<storage, read> v: array<f32>;
@group(0) @binding(5) var<storage, read> g: array<f32>;
@group(0) @binding(6) var<storage, read_write> scalars: array<f32>;
@group(0) @binding(7) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(8) var<storage, read> d_scalars: array<f32>;
@group(0) @binding(9) var<storage, read> d_vectors: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_u: array<f32>;
@group(0) @binding(11) var<storage, read_write> d_v: array<f32>;
@group(0) @binding(12) var<storage, read_write> d_g: array<f32>;

fn product(p: vec4<f32>, q: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(dot(p, q), p.x * q.yzw + q.x * p.yzw + cross(p.yzw, q.yzw));
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let n = sizes.channels;
    if (at >= token_count() * n) { return; }
    let token = at / n;
    let first = token * 4u * n + at % n;
    let plain = vec4<f32>(u[first], u[first + n], u[first + 2u * n], u[first + 3u * n]);
    let factor = vec4<f32>(v[first], v[first + n], v[first + 2u * n], v[first + 3u * n]);
    let open = sigmoid(g[token * sizes.gate_width + sizes.gate_first + at % n] + 1.0);
    let result = product(plain * open, factor);
    scalars[at] = result.x;
    for (var h = 0u; h < 3u; h += 1u) {
        vectors[(token * 3u + h) * n + at % n] = result[h + 1u];
    }
}

// d·(r × s) = r·(s × d) = s·(d × r): the adjoints are products again, with the factors in cyclic
// order.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    let n = sizes.channels;
    if (at >= token_count() * n) { return; }
    let token = at / n;
    let k = at % n;
    let first = token * 4u * n + k;
    let plain = vec4<f32>(u[first], u[first + n], u[first + 2u * n], u[first + 3u * n]);
    let factor = vec4<f32>(v[first], v[first + n], v[first + 2u * n], v[first + 3u * n]);
    let vector = token * 3u * n + k;
    let d_vector = vec3<f32>(
        d_vectors[vector], d_vectors[vector + n], d_vectors[vector + 2u * n],
    );
    let d = vec4<f32>(d_scalars[at], d_vector);
    let gates = token * sizes.gate_width + sizes.gate_first + k;
    let open = sigmoid(g[gates] + 1.0);
    let d_open = product(factor, d);
    let d_factor = product(d, plain * open);
    for (var h = 0u; h < 4u; h += 1u) {
        d_u[first + h * n] += d_open[h] * open;
        d_v[first + h * n] += d_factor[h];
    }
    d_g[gates] += dot(d_open, plain) * open * (1.0 - open);
}
