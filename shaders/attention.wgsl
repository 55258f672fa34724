// Attention by scalars and vectors, see src/ops/attention.rs: one group 64 tokens of one head, one
// lane a token. The others go by in blocks in shared memory. A group's tokens may be of several
// systems: it goes through all of theirs, and each lane looks at its own. Compiled for the SCALARS
// and VECTORS of a head and the tokens of a BLOCK.

struct Sizes { heads: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> scalars: array<f32>;
@group(0) @binding(4) var<storage, read> vectors: array<f32>;
@group(0) @binding(5) var<storage, read_write> o_scalars: array<f32>;
@group(0) @binding(6) var<storage, read_write> o_vectors: array<f32>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<storage, read> d_o_scalars: array<f32>;
@group(0) @binding(9) var<storage, read> d_o_vectors: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_scalars: array<f32>;
@group(0) @binding(11) var<storage, read_write> d_vectors: array<f32>;
@group(0) @binding(12) var<storage, read_write> along: array<f32>;

// A head's numbers of a token: scalars, then x, y, z of its vectors.
const WIDTH = SCALARS + 3u * VECTORS;
// a divisor that is not zero where there are no vectors
const CHANNELS = max(VECTORS, 1u);
const QUERY = 0u;
const KEY = 1u;
const VALUE = 2u;
// Below any score.
const LOWEST = -1e30;

var<workgroup> left: array<f32, BLOCK * WIDTH>;
var<workgroup> right: array<f32, BLOCK * WIDTH>;

fn scale() -> f32 {
    return inverseSqrt(f32(WIDTH));
}

// Place of a number among the scalars or the vectors of tokens that have `columns` heads' numbers
// side by side.
fn scalar_at(token: u32, columns: u32, column: u32, index: u32) -> u32 {
    return (token * columns + column) * SCALARS + index;
}

fn vector_at(token: u32, columns: u32, column: u32, index: u32) -> u32 {
    let row = token * 3u + index / CHANNELS;
    return (row * columns + column) * VECTORS + index % CHANNELS;
}

fn given(token: u32, part: u32, head: u32, index: u32) -> f32 {
    let columns = 3u * sizes.heads;
    let column = part * sizes.heads + head;
    if (index < SCALARS) { return scalars[scalar_at(token, columns, column, index)]; }
    return vectors[vector_at(token, columns, column, index - SCALARS)];
}

fn add_given(token: u32, part: u32, head: u32, index: u32, d: f32) {
    let columns = 3u * sizes.heads;
    let column = part * sizes.heads + head;
    if (index < SCALARS) {
        d_scalars[scalar_at(token, columns, column, index)] += d;
    } else {
        d_vectors[vector_at(token, columns, column, index - SCALARS)] += d;
    }
}

fn answered(token: u32, head: u32, index: u32) -> f32 {
    if (index < SCALARS) { return o_scalars[scalar_at(token, sizes.heads, head, index)]; }
    return o_vectors[vector_at(token, sizes.heads, head, index - SCALARS)];
}

fn d_answered(token: u32, head: u32, index: u32) -> f32 {
    if (index < SCALARS) { return d_o_scalars[scalar_at(token, sizes.heads, head, index)]; }
    return d_o_vectors[vector_at(token, sizes.heads, head, index - SCALARS)];
}

// The tokens of all systems that a group's tokens are of.
fn seen_by_group(first: u32) -> vec2<u32> {
    let last = min(first + LANES, token_count()) - 1u;
    return vec2<u32>(first_token(system_of(first)), first_token(system_of(last) + 1u));
}

// Those of a block of `count` tokens from `at` on that are of the system of a token, from `at` on.
fn own_part(token: u32, at: u32, count: u32) -> vec2<u32> {
    let system = system_of(token);
    let ends = vec2<u32>(first_token(system), first_token(system + 1u));
    return clamp(ends, vec2<u32>(at), vec2<u32>(at + count)) - at;
}

// Inner products with row j of a block.
fn dot_left(a: ptr<function, array<f32, WIDTH>>, j: u32) -> f32 {
    var sum = 0.0;
    for (var index = 0u; index < WIDTH; index += 1u) {
        sum += (*a)[index] * left[j * WIDTH + index];
    }
    return sum;
}

fn dot_right(a: ptr<function, array<f32, WIDTH>>, j: u32) -> f32 {
    var sum = 0.0;
    for (var index = 0u; index < WIDTH; index += 1u) {
        sum += (*a)[index] * right[j * WIDTH + index];
    }
    return sum;
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let head = place(group, groups) % sizes.heads;
    let first = place(group, groups) / sizes.heads * LANES;
    if (first >= token_count()) { return; }
    // lanes past the end repeat the last token
    let token = min(first + lane, token_count() - 1u);
    var q: array<f32, WIDTH>;
    var sum: array<f32, WIDTH>;
    for (var index = 0u; index < WIDTH; index += 1u) {
        q[index] = given(token, QUERY, head, index) * scale();
        sum[index] = 0.0;
    }
    var highest = LOWEST;
    var total = 0.0;
    let seen = seen_by_group(first);
    for (var at = seen.x; at < seen.y; at += BLOCK) {
        let count = min(BLOCK, seen.y - at);
        workgroupBarrier();
        for (var item = lane; item < count * WIDTH; item += LANES) {
            left[item] = given(at + item / WIDTH, KEY, head, item % WIDTH);
            right[item] = given(at + item / WIDTH, VALUE, head, item % WIDTH);
        }
        workgroupBarrier();
        let own = own_part(token, at, count);
        for (var j = own.x; j < own.y; j += 1u) {
            let score = dot_left(&q, j);
            if (score > highest) {
                let shrink = exp(highest - score);
                highest = score;
                total *= shrink;
                for (var index = 0u; index < WIDTH; index += 1u) { sum[index] *= shrink; }
            }
            let share = exp(score - highest);
            total += share;
            for (var index = 0u; index < WIDTH; index += 1u) {
                sum[index] += share * right[j * WIDTH + index];
            }
        }
    }
    if (first + lane >= token_count()) { return; }
    lse[token * sizes.heads + head] = highest + log(total);
    for (var index = 0u; index < SCALARS; index += 1u) {
        o_scalars[scalar_at(token, sizes.heads, head, index)] = sum[index] / total;
    }
    for (var index = 0u; index < 3u * VECTORS; index += 1u) {
        o_vectors[vector_at(token, sizes.heads, head, index)] = sum[SCALARS + index] / total;
    }
}

// Gradient of q, one lane a query; along = o·d_o for the other pass.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let head = place(group, groups) % sizes.heads;
    let first = place(group, groups) / sizes.heads * LANES;
    if (first >= token_count()) { return; }
    let token = min(first + lane, token_count() - 1u);
    var q: array<f32, WIDTH>;
    var d: array<f32, WIDTH>;
    var d_q: array<f32, WIDTH>;
    var own_along = 0.0;
    for (var index = 0u; index < WIDTH; index += 1u) {
        q[index] = given(token, QUERY, head, index) * scale();
        d[index] = d_answered(token, head, index);
        d_q[index] = 0.0;
        own_along += d[index] * answered(token, head, index);
    }
    let own_lse = lse[token * sizes.heads + head];
    let seen = seen_by_group(first);
    for (var at = seen.x; at < seen.y; at += BLOCK) {
        let count = min(BLOCK, seen.y - at);
        workgroupBarrier();
        for (var item = lane; item < count * WIDTH; item += LANES) {
            left[item] = given(at + item / WIDTH, KEY, head, item % WIDTH);
            right[item] = given(at + item / WIDTH, VALUE, head, item % WIDTH);
        }
        workgroupBarrier();
        let own = own_part(token, at, count);
        for (var j = own.x; j < own.y; j += 1u) {
            let d_score = exp(dot_left(&q, j) - own_lse) * (dot_right(&d, j) - own_along);
            for (var index = 0u; index < WIDTH; index += 1u) {
                d_q[index] += d_score * left[j * WIDTH + index];
            }
        }
    }
    if (first + lane >= token_count()) { return; }
    along[token * sizes.heads + head] = own_along;
    for (var index = 0u; index < WIDTH; index += 1u) {
        add_given(token, QUERY, head, index, d_q[index] * scale());
    }
}

// Gradients of k and v, one lane a key: queries and gradients of o go by.
@compute @workgroup_size(LANES)
fn backward_keys(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let head = place(group, groups) % sizes.heads;
    let first = place(group, groups) / sizes.heads * LANES;
    if (first >= token_count()) { return; }
    let token = min(first + lane, token_count() - 1u);
    var k: array<f32, WIDTH>;
    var v: array<f32, WIDTH>;
    var d_k: array<f32, WIDTH>;
    var d_v: array<f32, WIDTH>;
    for (var index = 0u; index < WIDTH; index += 1u) {
        k[index] = given(token, KEY, head, index);
        v[index] = given(token, VALUE, head, index);
        d_k[index] = 0.0;
        d_v[index] = 0.0;
    }
    let seen = seen_by_group(first);
    for (var at = seen.x; at < seen.y; at += BLOCK) {
        let count = min(BLOCK, seen.y - at);
        workgroupBarrier();
        for (var item = lane; item < count * WIDTH; item += LANES) {
            left[item] = given(at + item / WIDTH, QUERY, head, item % WIDTH) * scale();
            right[item] = d_answered(at + item / WIDTH, head, item % WIDTH);
        }
        workgroupBarrier();
        let own = own_part(token, at, count);
        for (var j = own.x; j < own.y; j += 1u) {
            let query = (at + j) * sizes.heads + head;
            let share = exp(dot_left(&k, j) - lse[query]);
            let d_score = share * (dot_right(&v, j) - along[query]);
            for (var index = 0u; index < WIDTH; index += 1u) {
                d_k[index] += d_score * left[j * WIDTH + index];
                d_v[index] += share * right[j * WIDTH + index];
            }
        }
    }
    if (first + lane >= token_count()) { return; }
    for (var index = 0u; index < WIDTH; index += 1u) {
        add_given(token, KEY, head, index, d_k[index]);
        add_given(token, VALUE, head, index, d_v[index]);
    }
}
