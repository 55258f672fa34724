// The long convolution of tuples by the double sum, for short systems; conventions in
// src/fft/mod.rs, equations in src/ops/long_conv.rs. Compiled for the TERMS that there are, from
// FIRST_TERM of five on, and the parts of the tuples that they need (SCALAR, VECTOR). One lane a
// token and channel: no two lanes write to one place. Longer systems go through
// shared/transform.wgsl.

struct Sizes {
    channels: u32,
    // 1: ring; 1: correlation; 1: scale 1/√N, else 1/N
    circular: u32, correlation: u32, root: u32,
    // systems with more tokens are left to the transforms
    longest: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> q: array<f32>;
@group(0) @binding(4) var<storage, read> k: array<f32>;
@group(0) @binding(5) var<storage, read> lambda: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
@group(0) @binding(7) var<storage, read> d_out: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_q: array<f32>;
@group(0) @binding(9) var<storage, read_write> d_k: array<f32>;
@group(0) @binding(10) var<storage, read_write> partial: array<f32>;

// What does not take part is not read.
fn masked(z: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(select(0.0, z.x, SCALAR), select(vec3<f32>(0.0), z.yzw, VECTOR));
}

fn at(token: u32, c: u32) -> u32 {
    return token * 4u * sizes.channels + c;
}

fn q_of(token: u32, c: u32) -> vec4<f32> {
    let i = at(token, c);
    let n = sizes.channels;
    return masked(vec4<f32>(q[i], q[i + n], q[i + 2u * n], q[i + 3u * n]));
}

fn k_of(token: u32, c: u32) -> vec4<f32> {
    let i = at(token, c);
    let n = sizes.channels;
    return masked(vec4<f32>(k[i], k[i + n], k[i + 2u * n], k[i + 3u * n]));
}

fn d_of(token: u32, c: u32) -> vec4<f32> {
    let i = at(token, c);
    let n = sizes.channels;
    return masked(vec4<f32>(d_out[i], d_out[i + n], d_out[i + 2u * n], d_out[i + 3u * n]));
}

fn lambda_of(term: u32, c: u32) -> f32 {
    if (term < FIRST_TERM || term >= FIRST_TERM + TERMS) { return 0.0; }
    return lambda[(term - FIRST_TERM) * sizes.channels + c];
}

fn factor(tokens: u32) -> f32 {
    return select(1.0 / f32(tokens), 1.0 / sqrt(f32(tokens)), sizes.root != 0u);
}

// Index of k that meets index j of q in index i of the result; N and more: none.
fn partner(i: u32, j: u32, tokens: u32) -> u32 {
    let more = select(i, j, sizes.correlation != 0u);
    let less = select(j, i, sizes.correlation != 0u);
    if (more >= less) { return more - less; }
    if (sizes.circular != 0u) { return more + tokens - less; }
    return tokens;
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= token_count() * sizes.channels) { return; }
    let token = item / sizes.channels;
    let c = item % sizes.channels;
    let system = system_of(token);
    let start = first_token(system);
    let tokens = first_token(system + 1u) - start;
    if (tokens > sizes.longest) { return; }
    // the five terms: Σ α α, Σ r·r, Σ α r, Σ α r (of k, of q), Σ r × r
    var scalars = vec2<f32>(0.0);
    var left = vec3<f32>(0.0);
    var right = vec3<f32>(0.0);
    var turned = vec3<f32>(0.0);
    for (var j = 0u; j < tokens; j += 1u) {
        let other = partner(token - start, j, tokens);
        if (other < tokens) {
            let a = q_of(start + j, c);
            let b = k_of(start + other, c);
            scalars += vec2<f32>(a.x * b.x, dot(a.yzw, b.yzw));
            left += a.x * b.yzw;
            right += b.x * a.yzw;
            turned += cross(a.yzw, b.yzw);
        }
    }
    let scale = factor(tokens);
    let scalar = scale * (lambda_of(0u, c) * scalars.x + lambda_of(1u, c) * scalars.y);
    let straight = lambda_of(2u, c) * left + lambda_of(3u, c) * right;
    let vector = scale * (straight + lambda_of(4u, c) * turned);
    let result = masked(vec4<f32>(scalar, vector));
    for (var h = 0u; h < 4u; h += 1u) {
        out[at(token, c) + h * sizes.channels] = result[h];
    }
}

// Gradients of q and k at a token, and its share of that of λ.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= token_count() * sizes.channels) { return; }
    let token = item / sizes.channels;
    let c = item % sizes.channels;
    let system = system_of(token);
    let start = first_token(system);
    let tokens = first_token(system + 1u) - start;
    let share = token * 5u * sizes.channels + c;
    if (tokens > sizes.longest) {
        for (var term = 0u; term < 5u; term += 1u) {
            partial[share + term * sizes.channels] = 0.0;
        }
        return;
    }
    let own = token - start;
    // of q, term by term; ⟨d, a × b⟩ = ⟨a, b × d⟩ = ⟨b, d × a⟩
    var to_scalar = vec2<f32>(0.0);
    var by_dot = vec3<f32>(0.0);
    var by_right = vec3<f32>(0.0);
    var by_cross = vec3<f32>(0.0);
    for (var i = 0u; i < tokens; i += 1u) {
        let other = partner(i, own, tokens);
        if (other < tokens) {
            let b = k_of(start + other, c);
            let d = d_of(start + i, c);
            to_scalar += vec2<f32>(b.x * d.x, dot(b.yzw, d.yzw));
            by_dot += d.x * b.yzw;
            by_right += b.x * d.yzw;
            by_cross += cross(b.yzw, d.yzw);
        }
    }
    let scale = factor(tokens);
    let a = q_of(token, c);
    partial[share] = scale * a.x * to_scalar.x;
    partial[share + sizes.channels] = scale * dot(a.yzw, by_dot);
    partial[share + 2u * sizes.channels] = scale * a.x * to_scalar.y;
    partial[share + 3u * sizes.channels] = scale * dot(a.yzw, by_right);
    partial[share + 4u * sizes.channels] = scale * dot(a.yzw, by_cross);
    var result = masked(vec4<f32>(
        lambda_of(0u, c) * to_scalar.x + lambda_of(2u, c) * to_scalar.y,
        lambda_of(1u, c) * by_dot + lambda_of(3u, c) * by_right + lambda_of(4u, c) * by_cross,
    ));
    for (var h = 0u; h < 4u; h += 1u) {
        d_q[at(token, c) + h * sizes.channels] += scale * result[h];
    }
    // of k: the token is the partner now
    var scalar = 0.0;
    var vector = vec3<f32>(0.0);
    for (var j = 0u; j < tokens; j += 1u) {
        var i = own + j;
        if (sizes.correlation != 0u) { i = select(j - own, j + tokens - own, j < own); }
        // i = own + j of a convolution, j − own of a correlation; past the end only on a ring
        let wraps = select(own + j >= tokens, j < own, sizes.correlation != 0u);
        if (!wraps || sizes.circular != 0u) {
            if (i >= tokens) { i -= tokens; }
            let q_j = q_of(start + j, c);
            let d = d_of(start + i, c);
            scalar += lambda_of(0u, c) * q_j.x * d.x + lambda_of(3u, c) * dot(q_j.yzw, d.yzw);
            vector += lambda_of(1u, c) * d.x * q_j.yzw + lambda_of(2u, c) * q_j.x * d.yzw
                + lambda_of(4u, c) * cross(d.yzw, q_j.yzw);
        }
    }
    result = masked(vec4<f32>(scalar, vector));
    for (var h = 0u; h < 4u; h += 1u) {
        d_k[at(token, c) + h * sizes.channels] += scale * result[h];
    }
}
