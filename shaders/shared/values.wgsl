// Values of degrees 0, 1 and 2, the 27 numbers that an edge makes of a channel of them, and the
// rows of sums of these; for shaders/near_attention.wgsl, which declares what is read here.

const PATHS = 27u;

// A channel of a token's values, and what the direction of an edge makes of it.
struct Value { s: f32, v: vec3<f32>, t: array<f32, 5> }
struct Seen { along: f32, in_y: f32 }

fn value_of(token: u32, c: u32) -> Value {
    var value: Value;
    value.s = s[token * CHANNELS + c];
    for (var k = 0u; k < 3u; k += 1u) {
        value.v[k] = v[(3u * token + k) * CHANNELS + c];
    }
    if (TENSORS) {
        for (var k = 0u; k < 5u; k += 1u) {
            value.t[k] = t[(5u * token + k) * CHANNELS + c];
        }
    }
    return value;
}

fn seen_of(value: Value, way: vec3<f32>) -> Seen {
    return Seen(dot(value.v, way), dot5(value.t, product(way, way)));
}

// A₀ + A₁ v·u + A₂ T:Y.
fn weight_of(seen: Seen, c: u32) -> f32 {
    return score[c] + score[CHANNELS + c] * seen.along + score[2u * CHANNELS + c] * seen.in_y;
}

// What the sums of a channel are of, in the order of the rows of the outputs.
fn paths_of(value: Value, seen: Seen, way: vec3<f32>) -> array<f32, PATHS> {
    let tu = apply(value.t, way);
    let y_u = product(way, way);
    let vu = product(value.v, way);
    var paths: array<f32, PATHS>;
    paths[0] = value.s;
    paths[1] = seen.along;
    paths[2] = seen.in_y;
    for (var k = 0u; k < 3u; k += 1u) {
        paths[3u + 3u * k] = value.s * way[k];
        paths[4u + 3u * k] = value.v[k];
        paths[5u + 3u * k] = tu[k];
    }
    var from_y = y_u;
    var from_v = vu;
    var own = value.t;
    for (var k = 0u; k < 5u; k += 1u) {
        paths[12u + 3u * k] = value.s * from_y[k];
        paths[13u + 3u * k] = from_v[k];
        paths[14u + 3u * k] = own[k];
    }
    return paths;
}

// The gradient of row `path` of the sums of a token.
fn d_sum(token: u32, path: u32, c: u32) -> f32 {
    if (path < 3u) { return d_scalars[(3u * token + path) * CHANNELS + c]; }
    if (path < 12u) { return d_vectors[(9u * token + path - 3u) * CHANNELS + c]; }
    return d_tensors[(15u * token + path - 12u) * CHANNELS + c];
}

// The gradients of the vectors that path k of the three leads to, and of the tensors.
fn d_vector(token: u32, k: u32, c: u32) -> vec3<f32> {
    let at = 9u * token + k;
    return vec3<f32>(
        d_vectors[at * CHANNELS + c], d_vectors[(at + 3u) * CHANNELS + c],
        d_vectors[(at + 6u) * CHANNELS + c],
    );
}

fn d_tensor(token: u32, k: u32, c: u32) -> array<f32, 5> {
    let at = 15u * token + k;
    return array<f32, 5>(
        d_tensors[at * CHANNELS + c], d_tensors[(at + 3u) * CHANNELS + c],
        d_tensors[(at + 6u) * CHANNELS + c], d_tensors[(at + 9u) * CHANNELS + c],
        d_tensors[(at + 12u) * CHANNELS + c],
    );
}

fn put_sum(token: u32, path: u32, c: u32, value: f32) {
    if (path < 3u) {
        o_scalars[(3u * token + path) * CHANNELS + c] = value;
    } else if (path < 12u) {
        o_vectors[(9u * token + path - 3u) * CHANNELS + c] = value;
    } else {
        o_tensors[(15u * token + path - 12u) * CHANNELS + c] = value;
    }
}

fn sum_at(token: u32, path: u32, c: u32) -> f32 {
    if (path < 3u) { return o_scalars[(3u * token + path) * CHANNELS + c]; }
    if (path < 12u) { return o_vectors[(9u * token + path - 3u) * CHANNELS + c]; }
    return o_tensors[(15u * token + path - 12u) * CHANNELS + c];
}
