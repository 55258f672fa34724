// Token-wise ops one after another (src/ops/chain.rs): a group has TILE tokens, whose rows go from
// one op to the next in shared memory. What a row is, where it lies, and the ops themselves are
// written for each chain by src/engine/gpu/kernels/chain; what they share is here.
//
// A system counts as a token where the rows are those of systems.
//
// Row n of line `line` (token, then component) has the numbers r<n>(line, k); put<n> writes it.
// Backward runs the ops anew, keeps in `scratch` what the adjoints need (s<n>), and goes through
// them in reverse: d<n> is the gradient of a row, set<n> begins it, add<n> adds to it.

// Lanes that share a token.
const SHARE = LANES / TILE;

var<private> first: u32;
var<private> live: u32;

// Sum over the lanes of a token, always in the same order; all lanes must call it.
fn sum_of_token(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    shares[lane] = value;
    workgroupBarrier();
    let start = lane / SHARE * SHARE;
    var sum = 0.0;
    for (var other = 0u; other < SHARE; other += 1u) {
        sum += shares[start + other];
    }
    return sum;
}

// What a step wrote is seen by the next one.
fn fence() {
    storageBarrier();
    workgroupBarrier();
}

fn product(p: vec4<f32>, q: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(dot(p, q), p.x * q.yzw + q.x * p.yzw + cross(p.yzw, q.yzw));
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = place(group, groups) * TILE;
    if (start >= row_count()) { return; }
    first = start;
    live = min(TILE, row_count() - first);
    steps(lane);
}

// Of the tokens from `begin` to `end`, whose rows the scratch has room for.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = sizes.begin + place(group, groups) * TILE;
    if (start >= sizes.end) { return; }
    first = start;
    live = min(TILE, sizes.end - first);
    again(lane);
    adjoints(lane);
}

const DEPTH = 16u;
const PITCH = SIDE + 1u;
const RIGHT = DEPTH * PITCH;

// Gradients of the weights from a chunk of the same tokens: a group has one square of one product
// xᵀ d; the numbers of the squares and products come from the host's side.
@compute @workgroup_size(LANES)
fn backward_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = place(group, groups);
    let chunk = number / SQUARES;
    let start = sizes.begin + chunk * sizes.tokens_of_chunk;
    if (start >= sizes.end) { return; }
    let square = square_of(number % SQUARES);
    let which = square.x;
    let shape = shape_of(which);
    let first_k = square.y * SIDE;
    let first_column = square.z * SIDE;
    let row_start = (start - sizes.begin) * shape.z;
    let row_end = (min(start + sizes.tokens_of_chunk, sizes.end) - sizes.begin) * shape.z;
    let own_row = 4u * (lane / 8u);
    let own_column = 4u * (lane % 8u);
    var sums: array<vec4<f32>, 4>;
    for (var at = row_start; at < row_end; at += DEPTH) {
        for (var index = lane; index < SIDE * DEPTH; index += LANES) {
            let row = at + index / SIDE;
            let k = first_k + index % SIDE;
            let column = first_column + index % SIDE;
            var value = 0.0;
            if (row < row_end && k < shape.x) { value = left_of(which, row, k); }
            tile[index / SIDE * PITCH + index % SIDE] = value;
            value = 0.0;
            if (row < row_end && column < shape.y) { value = right_of(which, row, column); }
            tile[RIGHT + index / SIDE * PITCH + index % SIDE] = value;
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 1u) {
            let b = RIGHT + k * PITCH + own_column;
            let right = vec4<f32>(tile[b], tile[b + 1u], tile[b + 2u], tile[b + 3u]);
            let a = k * PITCH + own_row;
            sums[0] += tile[a] * right;
            sums[1] += tile[a + 1u] * right;
            sums[2] += tile[a + 2u] * right;
            sums[3] += tile[a + 3u] * right;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i += 1u) {
        let k = first_k + own_row + i;
        for (var j = 0u; j < 4u; j += 1u) {
            let column = first_column + own_column + j;
            if (k < shape.x && column < shape.y) {
                partial[chunk * STRIDE + place_of(which, k) + column] = sums[i][j];
            }
        }
    }
}
