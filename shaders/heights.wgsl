// Signed heights of three-neighbour centres, gathered token by token: a centre is computed once for
// each of its four tokens, so that no two lanes write to one place; see src/ops/heights.rs.

@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> scalars: array<f32>;
@group(0) @binding(5) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(6) var<storage, read> d_scalars: array<f32>;
@group(0) @binding(7) var<storage, read> d_vectors: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_y: array<f32>;

struct Height {
    p: vec3<f32>, q: vec3<f32>, s: vec3<f32>,
    normal: vec3<f32>,
    z: vec3<f32>, slope: vec3<f32>,
}

fn position(token: u32) -> vec3<f32> {
    return vec3<f32>(y[3u * token], y[3u * token + 1u], y[3u * token + 2u]);
}

// z/√(1 + (z/4)²) of e·gain and its derivative by e.
fn clipped(e: f32, gain: f32) -> vec2<f32> {
    let quarter = e * gain / 4.0;
    let clip = inverseSqrt(1.0 + quarter * quarter);
    return vec2<f32>(e * gain * clip, gain * clip * clip * clip);
}

fn height_of(centre: u32, scale: f32) -> Height {
    let a1 = position(centre_token(centre, 1u));
    let p = position(centre_token(centre, 2u)) - a1;
    let q = position(centre_token(centre, 3u)) - a1;
    let s = a1 - position(centre_token(centre, 0u));
    let normal = cross(p, q) / centre_area(centre);
    let e = dot(s, normal) - centre_height(centre);
    let stiff = clipped(e, scale / (STIFF * STIFF + scale * scale));
    let soft = clipped(e, scale / (SOFT * SOFT + scale * scale));
    let t = bounded(e);
    let z = vec3<f32>(stiff.x, soft.x, t);
    return Height(p, q, s, normal, z, vec3<f32>(stiff.y, soft.y, 1.0 - t * t));
}

// Share of the centre and of each neighbour in the displacement that restores the height.
fn share(seat: u32) -> f32 {
    return select(SHARE_OF_NEIGHBOUR, SHARE_OF_CENTRE, seat == 0u);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups) * LANES + lane;
    if (token >= token_count()) { return; }
    let scale = scales[system_of(token)];
    var own = vec3<f32>(0.0);
    var neighbour = vec3<f32>(0.0);
    var stiff = vec3<f32>(0.0);
    var soft = vec3<f32>(0.0);
    for (var index = first_membership(token); index < first_membership(token + 1u); index += 1u) {
        let seat = membership(index) % 4u;
        let height = height_of(membership(index) / 4u, scale);
        if (seat == 0u) { own += height.z; } else { neighbour += height.z; }
        stiff += share(seat) * height.z.x * height.normal;
        soft += share(seat) * height.z.y * height.normal;
    }
    for (var h = 0u; h < 3u; h += 1u) {
        scalars[6u * token + h] = own[h];
        scalars[6u * token + 3u + h] = neighbour[h];
        vectors[6u * token + 2u * h] = stiff[h];
        vectors[6u * token + 2u * h + 1u] = soft[h];
    }
}

// Gradient of one of the two vectors of a token.
fn d_vector(at: u32) -> vec3<f32> {
    return vec3<f32>(d_vectors[at], d_vectors[at + 2u], d_vectors[at + 4u]);
}

// Gradient of the token in one seat of a centre.
fn gradient(centre: u32, seat: u32, scale: f32) -> vec3<f32> {
    let height = height_of(centre, scale);
    var d_z = vec3<f32>(0.0);
    var d_normal = vec3<f32>(0.0);
    for (var other = 0u; other < 4u; other += 1u) {
        let at = 6u * centre_token(centre, other);
        let first = at + select(3u, 0u, other == 0u);
        d_z += vec3<f32>(d_scalars[first], d_scalars[first + 1u], d_scalars[first + 2u]);
        let stiff = share(other) * d_vector(at);
        let soft = share(other) * d_vector(at + 1u);
        d_z += vec3<f32>(dot(stiff, height.normal), dot(soft, height.normal), 0.0);
        d_normal += stiff * height.z.x + soft * height.z.y;
    }
    // back through e = s·ν and ν = p × q / A
    let d_e = dot(d_z, height.slope);
    let d_cross = (d_normal + d_e * height.s) / centre_area(centre);
    let d_p = cross(height.q, d_cross);
    let d_q = cross(d_cross, height.p);
    switch seat {
        case 0u: { return -d_e * height.normal; }
        case 1u: { return d_e * height.normal - d_p - d_q; }
        case 2u: { return d_p; }
        default: { return d_q; }
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
    let scale = scales[system_of(token)];
    var d = vec3<f32>(0.0);
    for (var index = first_membership(token); index < first_membership(token + 1u); index += 1u) {
        d += gradient(membership(index) / 4u, membership(index) % 4u, scale);
    }
    for (var h = 0u; h < 3u; h += 1u) {
        d_y[3u * token + h] += d[h];
    }
}
