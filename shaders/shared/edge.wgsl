// A block of edges in shared memory, and the way back through the layers of its messages; for
// shaders/message.wgsl and shaders/near_attention.wgsl, which declare what is read here.

const ROWS = LANES / CHANNELS;
// Sums over the channels of an edge: of d u, d u°; of d g but the last; of both distances.
const SUMS = 16u;

// The edges of a block.
var<workgroup> receiver_of: array<u32, EDGES>;
var<workgroup> sender: array<u32, EDGES>;
var<workgroup> relation_class: array<u32, EDGES>;
var<workgroup> near_first: array<u32, EDGES>;
var<workgroup> far_first: array<u32, EDGES>;
var<workgroup> near: array<vec4<f32>, EDGES>;
var<workgroup> far: array<vec4<f32>, EDGES>;
var<workgroup> u: array<vec3<f32>, EDGES>;
var<workgroup> u_condition: array<vec3<f32>, EDGES>;
var<workgroup> features: array<f32, EDGES * DENSE>;
// Their channels.
var<workgroup> h: array<f32, EDGES * CHANNELS>;
var<workgroup> d_z: array<f32, EDGES * CHANNELS>;
var<workgroup> m: array<f32, EDGES * CHANNELS>;
var<workgroup> d_m: array<f32, EDGES * CHANNELS>;
var<workgroup> over_channels: array<f32, EDGES * SUMS>;

// Geometry and features of an edge, into place `slot` of the block.
fn fill(slot: u32, edge: u32, i: u32, j: u32) {
    let p = pair_of(edge, i, j);
    receiver_of[slot] = i;
    sender[slot] = j;
    relation_class[slot] = relation_of(edge);
    u[slot] = p.d / (p.r + ROUND);
    u_condition[slot] = p.d_condition / (p.rc + ROUND);
    near_first[slot] = u32(knot(p.r).x);
    far_first[slot] = u32(knot(p.rc).x);
    near[slot] = spline_values(knot(p.r).y);
    far[slot] = spline_values(knot(p.rc).y);
    let at = slot * DENSE;
    features[at] = soft_clip(p.t * p.gain.x).x;
    features[at + 1u] = soft_clip(p.t * p.gain.y).x;
    features[at + 2u] = soft_clip(p.mask * p.change * p.gain.y).x;
    features[at + 3u] = soft_clip(p.change * p.gain.z).x;
    features[at + 4u] = bounded(p.change);
    features[at + 5u] = 2.0 / (p.r + NEAR);
    features[at + 6u] = dot(p.w, u[slot]);
    features[at + 7u] = dot(p.w, u_condition[slot]);
    features[at + 8u] = p.mask * (p.rc - p.d0) * (1.0 / DEVIATION);
}

// Derivatives of the four splines of an edge by its distance, of the candidate or the condition.
fn slopes_of(slot: u32, candidate: bool) -> vec4<f32> {
    var d = vector_x(receiver_of[slot]) - vector_x(sender[slot]);
    if (candidate) { d = vector_y(receiver_of[slot]) - vector_y(sender[slot]); }
    return spline_slopes(knot(distance_of(d)).y);
}

// Sum `which` ≥ 6 over the channels of an edge; see SUMS.
fn sum_of_layers(slot: u32, which: u32) -> f32 {
    let row = slot * CHANNELS;
    var sum = 0.0;
    if (which < 14u) {
        for (var c = 0u; c < CHANNELS; c += 1u) {
            sum += d_z[row + c] * dense[(which - 6u) * CHANNELS + c];
        }
        return sum;
    }
    let slopes = slopes_of(slot, which == 14u);
    for (var k = 0u; k < 4u; k += 1u) {
        let first = select(far_first[slot], near_first[slot], which == 14u);
        let spline = spline_row(first, k) * CHANNELS;
        var along = 0.0;
        for (var c = 0u; c < CHANNELS; c += 1u) {
            if (which == 14u) {
                along += d_z[row + c] * radial[spline + c];
            } else {
                along += d_z[row + c] * radial_condition[spline + c];
            }
        }
        sum += slopes[k] * along;
    }
    return sum;
}

// Gradient of d from those of d/(r + 0.1) and of r.
fn d_difference(d: vec3<f32>, r: f32, d_u: vec3<f32>, d_r: f32) -> vec3<f32> {
    let shrink = 1.0 / (r + ROUND);
    let direction = d * shrink;
    return d_u * shrink + (d_r - dot(d_u, direction) * shrink) / r * d;
}

fn three_sums(at: u32) -> vec3<f32> {
    return vec3<f32>(over_channels[at], over_channels[at + 1u], over_channels[at + 2u]);
}

struct Differences { y: vec3<f32>, x: vec3<f32>, n: vec3<f32> }

// Gradients of the differences (receiver − sender) of positions.
fn edge_gradient(slot: u32, edge: u32) -> Differences {
    let p = pair_of(edge, receiver_of[slot], sender[slot]);
    let at = slot * SUMS;
    let g = at + 6u;
    let d_t = over_channels[g] * soft_clip(p.t * p.gain.x).y * p.gain.x
        + over_channels[g + 1u] * soft_clip(p.t * p.gain.y).y * p.gain.y;
    let tanh_change = bounded(p.change);
    let masked_slope = soft_clip(p.mask * p.change * p.gain.y).y;
    let d_change = over_channels[g + 2u] * masked_slope * p.gain.y * p.mask
        + over_channels[g + 3u] * soft_clip(p.change * p.gain.z).y * p.gain.z
        + over_channels[g + 4u] * (1.0 - tanh_change * tanh_change);
    let d_r = over_channels[at + 14u] + p.mask * d_t + d_change
        - over_channels[g + 5u] * 2.0 / ((p.r + NEAR) * (p.r + NEAR));
    var deviation = 0.0;
    for (var c = 0u; c < CHANNELS; c += 1u) {
        deviation += d_z[slot * CHANNELS + c] * dense[8u * CHANNELS + c];
    }
    let d_rc = over_channels[at + 15u] + p.mask * (1.0 / DEVIATION) * deviation - d_change;
    let d_u = three_sums(at) + over_channels[g + 6u] * p.w;
    let d_uc = three_sums(at + 3u) + over_channels[g + 7u] * p.w;
    let d_w = over_channels[g + 6u] * u[slot] + over_channels[g + 7u] * u_condition[slot];
    let d_y = d_difference(p.d, p.r, d_u, d_r);
    let d_x = d_difference(p.d_condition, p.rc, d_uc, d_rc);
    return Differences(d_y, d_x, d_w);
}

// Adds the gradients of the parameters of a block to the chunk's own; every place belongs to one
// lane.
fn add_parameters(table: u32, row: u32, c: u32, live: u32) {
    let radial_row = RELATIONS;
    let condition_row = radial_row + sizes.splines;
    let dense_row = condition_row + sizes.splines;
    let weight_row = dense_row + DENSE;
    for (var k = row; k < CHANNELS; k += ROWS) {
        var sum = 0.0;
        for (var slot = 0u; slot < live; slot += 1u) {
            sum += h[slot * CHANNELS + k] * d_m[slot * CHANNELS + c];
        }
        partial[table + (weight_row + k) * CHANNELS + c] += sum;
    }
    for (var k = row; k < DENSE; k += ROWS) {
        var sum = 0.0;
        for (var slot = 0u; slot < live; slot += 1u) {
            sum += features[slot * DENSE + k] * d_z[slot * CHANNELS + c];
        }
        partial[table + (dense_row + k) * CHANNELS + c] += sum;
    }
    for (var task = row; task < 4u; task += ROWS) {
        for (var slot = 0u; slot < live; slot += 1u) {
            let d = d_z[slot * CHANNELS + c];
            if (task == 0u) {
                partial[table + relation_class[slot] * CHANNELS + c] += d;
            } else if (task == 1u) {
                for (var k = 0u; k < 4u; k += 1u) {
                    let spline = radial_row + spline_row(near_first[slot], k);
                    partial[table + spline * CHANNELS + c] += near[slot][k] * d;
                }
            } else if (task == 2u) {
                for (var k = 0u; k < 4u; k += 1u) {
                    let spline = condition_row + spline_row(far_first[slot], k);
                    partial[table + spline * CHANNELS + c] += far[slot][k] * d;
                }
            } else {
                partial[table + (weight_row + CHANNELS) * CHANNELS + c] += d_m[slot * CHANNELS + c];
            }
        }
    }
}

// Sum of a lane's number over the rows of lanes, in their order; all lanes must call it.
fn sum_of_rows(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    shares[lane] = value;
    workgroupBarrier();
    var all = 0.0;
    for (var other = 0u; other < ROWS; other += 1u) {
        all += shares[other * CHANNELS + lane % CHANNELS];
    }
    return all;
}

// Adds the gradients of a token's positions, from those of the differences of its edges, summed
// over the lanes.
fn add_positions(lane: u32, token: u32, total: Differences) {
    let sign = select(1.0, -1.0, SENDING);
    for (var k = 0u; k < 3u; k += 1u) {
        let all_y = sum_of_lanes(lane, total.y[k]);
        let all_x = sum_of_lanes(lane, total.x[k]);
        let all_n = sum_of_lanes(lane, total.n[k]);
        if (lane == 0u) {
            d_y[3u * token + k] += sign * all_y;
            d_x[3u * token + k] += sign * all_x;
            d_n[3u * token + k] += sign * all_n;
        }
    }
    workgroupBarrier();
}
