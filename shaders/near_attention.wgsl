// Attention over the neighbourhood with values of degrees 0, 1 and 2; equations in
// src/ops/near_attention/mod.rs. As in message.wgsl a group goes through the edges of a receiver in
// blocks, and backward runs by receiver and by sender (SENDING); before both, `along` has Σ of sums
// times their gradients. Compiled for a number of CHANNELS, HEADS and EDGES of a block, and for
// values with and without TENSORS.

struct Sizes { splines: u32, reach: f32, tokens_of_chunk: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(5) var<storage, read> y: array<f32>;
@group(0) @binding(6) var<storage, read> x: array<f32>;
@group(0) @binding(7) var<storage, read> n: array<f32>;
@group(0) @binding(8) var<storage, read> s: array<f32>;
@group(0) @binding(9) var<storage, read> v: array<f32>;
@group(0) @binding(10) var<storage, read> t: array<f32>;
@group(0) @binding(11) var<storage, read> relation: array<f32>;
@group(0) @binding(12) var<storage, read> radial: array<f32>;
@group(0) @binding(13) var<storage, read> radial_condition: array<f32>;
@group(0) @binding(14) var<storage, read> dense: array<f32>;
@group(0) @binding(15) var<storage, read> weight: array<f32>;
@group(0) @binding(16) var<storage, read> bias: array<f32>;
@group(0) @binding(17) var<storage, read> score: array<f32>;
@group(0) @binding(18) var<storage, read_write> o_scalars: array<f32>;
@group(0) @binding(19) var<storage, read_write> o_vectors: array<f32>;
@group(0) @binding(20) var<storage, read_write> o_tensors: array<f32>;
@group(0) @binding(21) var<storage, read_write> lse: array<f32>;
@group(0) @binding(22) var<storage, read> d_scalars: array<f32>;
@group(0) @binding(23) var<storage, read> d_vectors: array<f32>;
@group(0) @binding(24) var<storage, read> d_tensors: array<f32>;
@group(0) @binding(25) var<storage, read_write> along: array<f32>;
// d_a of the receivers, d_b of the senders
@group(0) @binding(26) var<storage, read_write> d_own: array<f32>;
@group(0) @binding(27) var<storage, read_write> d_y: array<f32>;
@group(0) @binding(28) var<storage, read_write> d_x: array<f32>;
@group(0) @binding(29) var<storage, read_write> d_n: array<f32>;
@group(0) @binding(30) var<storage, read_write> d_s: array<f32>;
@group(0) @binding(31) var<storage, read_write> d_v: array<f32>;
@group(0) @binding(32) var<storage, read_write> d_t: array<f32>;
@group(0) @binding(33) var<storage, read_write> partial: array<f32>;

const OF_HEAD = CHANNELS / HEADS;
// Below any score.
const LOWEST = -1e30;

// Gradients of the weights p m; every message times what its score weighs it by, and times them.
var<workgroup> d_weights: array<f32, EDGES * CHANNELS>;
var<workgroup> scored: array<f32, EDGES * CHANNELS>;
var<workgroup> pulled: array<f32, EDGES * CHANNELS>;
// Scores of the heads.
var<workgroup> scores: array<f32, EDGES * HEADS>;
// Gradients of u, channel by channel; three arrays, since a vec3 takes the room of four.
var<workgroup> d_u: array<f32, 3u * EDGES * CHANNELS>;

// Hidden channels and messages of a block; with `back`, their slopes, into d_z and d_m.
fn fill_messages(row: u32, c: u32, live: u32, back: bool) {
    for (var slot = row; slot < live; slot += 4u * ROWS) {
        let z = first_layer(four(slot, live), c);
        for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
            let at = (slot + j * ROWS) * CHANNELS + c;
            h[at] = silu(z[j]);
            if (back) { d_z[at] = silu_slope(z[j]); }
        }
    }
    workgroupBarrier();
    for (var slot = row; slot < live; slot += 4u * ROWS) {
        let z = second_layer(four(slot, live), c);
        for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
            let at = (slot + j * ROWS) * CHANNELS + c;
            m[at] = silu(z[j]);
            if (back) { d_m[at] = silu_slope(z[j]); }
        }
    }
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    let c = lane % CHANNELS;
    let row = lane / CHANNELS;
    let head = c / OF_HEAD;
    var sums: array<f32, PATHS>;
    var total = 0.0;
    var highest = LOWEST;
    let end = first_edge(token + 1u);
    for (var first = first_edge(token); first < end; first += EDGES) {
        let live = min(EDGES, end - first);
        if (lane < live) {
            fill(lane, first + lane, token, sender_of(first + lane));
        }
        workgroupBarrier();
        fill_messages(row, c, live, false);
        for (var slot = row; slot < live; slot += ROWS) {
            let seen = seen_of(value_of(sender[slot], c), u[slot]);
            scored[slot * CHANNELS + c] = m[slot * CHANNELS + c] * weight_of(seen, c);
        }
        workgroupBarrier();
        for (var index = lane; index < live * HEADS; index += LANES) {
            var own = 0.0;
            for (var k = 0u; k < OF_HEAD; k += 1u) { own += scored[index * OF_HEAD + k]; }
            scores[index] = own;
        }
        workgroupBarrier();
        // the rows of lanes have one and the same maximum
        let before = highest;
        for (var slot = 0u; slot < live; slot += 1u) {
            highest = max(highest, scores[slot * HEADS + head]);
        }
        let shrink = exp(before - highest);
        total *= shrink;
        for (var path = 0u; path < PATHS; path += 1u) { sums[path] *= shrink; }
        for (var slot = row; slot < live; slot += ROWS) {
            let share = exp(scores[slot * HEADS + head] - highest);
            total += share;
            let weighted = share * m[slot * CHANNELS + c];
            let value = value_of(sender[slot], c);
            var paths = paths_of(value, seen_of(value, u[slot]), u[slot]);
            for (var path = 0u; path < PATHS; path += 1u) {
                sums[path] += weighted * paths[path];
            }
        }
        workgroupBarrier();
    }
    let all = sum_of_rows(lane, total);
    // without neighbours there is nothing to share
    let some = end > first_edge(token);
    for (var path = 0u; path < PATHS; path += 1u) {
        let sum = sum_of_rows(lane, sums[path]);
        if (row == 0u) { put_sum(token, path, c, select(0.0, sum / all, some)); }
    }
    if (row == 0u && c % OF_HEAD == 0u) {
        lse[token * HEADS + head] = select(0.0, highest + log(all), some);
    }
}

// Σ of a head's sums times their gradients, one lane a head of a token.
@compute @workgroup_size(LANES)
fn pull(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= token_count() * HEADS) { return; }
    let token = at / HEADS;
    var sum = 0.0;
    for (var k = 0u; k < OF_HEAD; k += 1u) {
        let c = at % HEADS * OF_HEAD + k;
        for (var path = 0u; path < PATHS; path += 1u) {
            sum += sum_at(token, path, c) * d_sum(token, path, c);
        }
    }
    along[at] = sum;
}

// What an edge gives of gradients at one channel.
struct Given { s: f32, v: vec3<f32>, t: array<f32, 5>, u: vec3<f32>, score: vec3<f32>, m: f32 }

fn given_of(slot: u32, c: u32) -> Given {
    let i = receiver_of[slot];
    let way = u[slot];
    let y_u = product(way, way);
    let value = value_of(sender[slot], c);
    let seen = seen_of(value, way);
    let head = c / OF_HEAD;
    var own = 0.0;
    var d_share = 0.0;
    for (var k = head * OF_HEAD; k < (head + 1u) * OF_HEAD; k += 1u) {
        own += scored[slot * CHANNELS + k];
        d_share += pulled[slot * CHANNELS + k];
    }
    let share = exp(own - lse[i * HEADS + head]);
    let d_score = share * (d_share - along[i * HEADS + head]);
    let message = m[slot * CHANNELS + c];
    let by_score = d_score * message;
    let w = share * message;
    let d_along = by_score * score[CHANNELS + c] + w * d_sum(i, 1u, c);
    let d_in_y = by_score * score[2u * CHANNELS + c] + w * d_sum(i, 2u, c);
    let v0 = w * d_vector(i, 0u, c);
    let v1 = w * d_vector(i, 1u, c);
    let v2 = w * d_vector(i, 2u, c);
    let m0 = d_tensor(i, 0u, c);
    let m1 = d_tensor(i, 1u, c);
    var given: Given;
    given.s = w * d_sum(i, 0u, c) + dot(v0, way) + w * dot5(m0, y_u);
    given.v = d_along * way + v1 + w * apply(m1, way);
    given.t = sum_of_two(
        1.0, sum_of_two(d_in_y, y_u, w, d_tensor(i, 2u, c)), 1.0, product(v2, way),
    );
    // Y = u uᵀ: its gradient comes to u twice
    given.u = d_along * value.v + value.s * v0 + apply(value.t, v2) + w * apply(m1, value.v)
        + 2.0 * apply(sum_of_two(d_in_y, value.t, w * value.s, m0), way);
    given.score = by_score * vec3<f32>(1.0, seen.along, seen.in_y);
    given.m = share * d_weights[slot * CHANNELS + c] + d_score * weight_of(seen, c);
    return given;
}

// Gradient of the weight p m of a channel of an edge.
fn d_weight(slot: u32, c: u32) -> f32 {
    let value = value_of(sender[slot], c);
    var paths = paths_of(value, seen_of(value, u[slot]), u[slot]);
    var sum = 0.0;
    for (var path = 0u; path < PATHS; path += 1u) {
        sum += paths[path] * d_sum(receiver_of[slot], path, c);
    }
    return sum;
}

// One group a chunk of tokens.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chunk = place(group, groups);
    let first_of_chunk = chunk * sizes.tokens_of_chunk;
    if (first_of_chunk >= token_count()) { return; }
    let c = lane % CHANNELS;
    let row = lane / CHANNELS;
    let height = RELATIONS + 2u * sizes.splines + DENSE + CHANNELS + 4u;
    let table = chunk * height * CHANNELS;
    if (!SENDING) {
        for (var k = row; k < height; k += ROWS) {
            partial[table + k * CHANNELS + c] = 0.0;
        }
    }
    storageBarrier();
    let end_of_chunk = min(first_of_chunk + sizes.tokens_of_chunk, token_count());
    for (var token = first_of_chunk; token < end_of_chunk; token += 1u) {
        one_token(lane, token, table);
    }
}

// The edges that a token receives, or that it sends.
fn one_token(lane: u32, token: u32, table: u32) {
    let c = lane % CHANNELS;
    let row = lane / CHANNELS;
    var own = 0.0;
    var total = Differences(vec3<f32>(0.0), vec3<f32>(0.0), vec3<f32>(0.0));
    var of_score = vec3<f32>(0.0);
    var of_value: Value;
    var start = first_edge(token);
    var end = first_edge(token + 1u);
    if (SENDING) {
        start = first_sent(token);
        end = first_sent(token + 1u);
    }
    for (var first = start; first < end; first += EDGES) {
        let live = min(EDGES, end - first);
        var edge = first + lane;
        if (lane < live) {
            if (SENDING) {
                edge = sent_edge(first + lane);
                fill(lane, edge, receiver_of_sent(first + lane), token);
            } else {
                fill(lane, edge, token, sender_of(edge));
            }
        }
        workgroupBarrier();
        fill_messages(row, c, live, true);
        for (var slot = row; slot < live; slot += ROWS) {
            let at = slot * CHANNELS + c;
            let seen = seen_of(value_of(sender[slot], c), u[slot]);
            scored[at] = m[at] * weight_of(seen, c);
            d_weights[at] = d_weight(slot, c);
            pulled[at] = m[at] * d_weights[at];
        }
        workgroupBarrier();
        for (var slot = row; slot < live; slot += ROWS) {
            let at = slot * CHANNELS + c;
            let given = given_of(slot, c);
            d_m[at] *= given.m;
            for (var k = 0u; k < 3u; k += 1u) {
                d_u[k * EDGES * CHANNELS + at] = given.u[k];
            }
            of_score += given.score;
            of_value.s += given.s;
            of_value.v += given.v;
            of_value.t = sum_of_two(1.0, of_value.t, 1.0, given.t);
        }
        workgroupBarrier();
        for (var slot = row; slot < live; slot += 4u * ROWS) {
            let d_h = d_hidden(four(slot, live), c);
            for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
                let at = (slot + j * ROWS) * CHANNELS + c;
                d_z[at] *= d_h[j];
                own += d_z[at];
            }
        }
        workgroupBarrier();
        if (!SENDING) {
            add_parameters(table, row, c, live);
        }
        for (var index = lane; index < live * SUMS; index += LANES) {
            over_channels[index] = channel_sum(index / SUMS, index % SUMS);
        }
        workgroupBarrier();
        if (lane < live) {
            let d = edge_gradient(lane, edge);
            total = Differences(total.y + d.y, total.x + d.x, total.n + d.n);
        }
        workgroupBarrier();
    }
    let all_own = sum_of_rows(lane, own);
    if (row == 0u) { d_own[token * CHANNELS + c] += all_own; }
    if (SENDING) {
        add_values(lane, token, of_value);
    } else {
        add_scores(lane, table, of_score);
    }
    add_positions(lane, token, total);
}

// Sum `which` over the channels of an edge; see SUMS.
fn channel_sum(slot: u32, which: u32) -> f32 {
    if (which >= 6u) { return sum_of_layers(slot, which); }
    // nothing but the candidate's directions is looked at
    if (which >= 3u) { return 0.0; }
    var sum = 0.0;
    for (var c = 0u; c < CHANNELS; c += 1u) {
        sum += d_u[(which * EDGES + slot) * CHANNELS + c];
    }
    return sum;
}

fn add_values(lane: u32, token: u32, d: Value) {
    let c = lane % CHANNELS;
    var tensor = d.t;
    let own = sum_of_rows(lane, d.s);
    if (lane < CHANNELS) { d_s[token * CHANNELS + c] += own; }
    for (var k = 0u; k < 3u; k += 1u) {
        let component = sum_of_rows(lane, d.v[k]);
        if (lane < CHANNELS) { d_v[(3u * token + k) * CHANNELS + c] += component; }
    }
    if (TENSORS) {
        for (var k = 0u; k < 5u; k += 1u) {
            let component = sum_of_rows(lane, tensor[k]);
            if (lane < CHANNELS) { d_t[(5u * token + k) * CHANNELS + c] += component; }
        }
    }
}

fn add_scores(lane: u32, table: u32, d: vec3<f32>) {
    let first = RELATIONS + 2u * sizes.splines + DENSE + CHANNELS + 1u;
    for (var k = 0u; k < 3u; k += 1u) {
        let all = sum_of_rows(lane, d[k]);
        if (lane < CHANNELS) { partial[table + (first + k) * CHANNELS + lane] += all; }
    }
}
