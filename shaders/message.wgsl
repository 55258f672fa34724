// Pair messages summed over the neighbourhood; equations in src/ops/message/mod.rs. One group a
// receiver goes through its edges in blocks; a block's channels stay in shared memory, so there is
// no buffer of edges × channels. Backward runs twice: by receiver, and by sender (SENDING), since
// each lane may add only to what is its own. Compiled for a number of CHANNELS and EDGES of a
// block.

struct Sizes { splines: u32, reach: f32, tokens_of_chunk: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(5) var<storage, read> y: array<f32>;
@group(0) @binding(6) var<storage, read> x: array<f32>;
@group(0) @binding(7) var<storage, read> n: array<f32>;
@group(0) @binding(8) var<storage, read> relation: array<f32>;
@group(0) @binding(9) var<storage, read> radial: array<f32>;
@group(0) @binding(10) var<storage, read> radial_condition: array<f32>;
@group(0) @binding(11) var<storage, read> dense: array<f32>;
@group(0) @binding(12) var<storage, read> weight: array<f32>;
@group(0) @binding(13) var<storage, read> bias: array<f32>;
@group(0) @binding(14) var<storage, read_write> agg: array<f32>;
@group(0) @binding(15) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(16) var<storage, read> d_agg: array<f32>;
@group(0) @binding(17) var<storage, read> d_vectors: array<f32>;
// d_a of the receivers, d_b of the senders
@group(0) @binding(18) var<storage, read_write> d_own: array<f32>;
@group(0) @binding(19) var<storage, read_write> d_y: array<f32>;
@group(0) @binding(20) var<storage, read_write> d_x: array<f32>;
@group(0) @binding(21) var<storage, read_write> d_n: array<f32>;
@group(0) @binding(22) var<storage, read_write> partial: array<f32>;

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
    var sum = 0.0;
    var along = vec3<f32>(0.0);
    var along_condition = vec3<f32>(0.0);
    let end = first_edge(token + 1u);
    for (var first = first_edge(token); first < end; first += EDGES) {
        let live = min(EDGES, end - first);
        if (lane < live) {
            fill(lane, first + lane, token, sender_of(first + lane));
        }
        workgroupBarrier();
        for (var slot = row; slot < live; slot += 4u * ROWS) {
            let z = first_layer(four(slot, live), c);
            for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
                h[(slot + j * ROWS) * CHANNELS + c] = silu(z[j]);
            }
        }
        workgroupBarrier();
        for (var slot = row; slot < live; slot += 4u * ROWS) {
            let z = second_layer(four(slot, live), c);
            for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
                let message = silu(z[j]);
                sum += message;
                along += message * u[slot + j * ROWS];
                along_condition += message * u_condition[slot + j * ROWS];
            }
        }
        workgroupBarrier();
    }
    // over the rows of lanes, in their order
    for (var which = 0u; which < 7u; which += 1u) {
        var own = sum;
        if (which > 0u && which < 4u) { own = along[which - 1u]; }
        if (which > 3u) { own = along_condition[which - 4u]; }
        let all = sum_of_rows(lane, own);
        if (row == 0u) {
            if (which == 0u) {
                agg[token * CHANNELS + c] = SUM * HALF * all;
            } else {
                let component = (which - 1u) % 3u;
                let half = (which - 1u) / 3u;
                vectors[((3u * token + component) * 2u + half) * CHANNELS + c] = SUM * all;
            }
        }
    }
}

// Gradient of message `c` of an edge, from those of the sums at its receiver.
fn d_message(slot: u32, c: u32) -> f32 {
    let i = receiver_of[slot];
    var d = HALF * d_agg[i * CHANNELS + c];
    for (var k = 0u; k < 3u; k += 1u) {
        let at = (3u * i + k) * 2u * CHANNELS + c;
        d += u[slot][k] * d_vectors[at] + u_condition[slot][k] * d_vectors[at + CHANNELS];
    }
    return SUM * d;
}

// Sum `which` over the channels of an edge; see SUMS.
fn channel_sum(slot: u32, which: u32) -> f32 {
    if (which < 6u) {
        let row = slot * CHANNELS;
        var sum = 0.0;
        let at = (3u * receiver_of[slot] + which % 3u) * 2u * CHANNELS + which / 3u * CHANNELS;
        for (var c = 0u; c < CHANNELS; c += 1u) {
            sum += m[row + c] * d_vectors[at + c];
        }
        return SUM * sum;
    }
    return sum_of_layers(slot, which);
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
    let height = RELATIONS + 2u * sizes.splines + DENSE + CHANNELS + 1u;
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
        for (var slot = row; slot < live; slot += 4u * ROWS) {
            let z = first_layer(four(slot, live), c);
            for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
                let at = (slot + j * ROWS) * CHANNELS + c;
                h[at] = silu(z[j]);
                d_z[at] = silu_slope(z[j]);
            }
        }
        workgroupBarrier();
        for (var slot = row; slot < live; slot += 4u * ROWS) {
            let z = second_layer(four(slot, live), c);
            for (var j = 0u; j < 4u && slot + j * ROWS < live; j += 1u) {
                let at = (slot + j * ROWS) * CHANNELS + c;
                m[at] = silu(z[j]);
                d_m[at] = d_message(slot + j * ROWS, c) * silu_slope(z[j]);
            }
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
            let slot = index / SUMS;
            over_channels[index] = channel_sum(slot, index % SUMS);
        }
        workgroupBarrier();
        if (lane < live) {
            let d = edge_gradient(lane, edge);
            total = Differences(total.y + d.y, total.x + d.x, total.n + d.n);
        }
        workgroupBarrier();
    }
    let all = sum_of_rows(lane, own);
    if (row == 0u) { d_own[token * CHANNELS + c] += all; }
    add_positions(lane, token, total);
}
