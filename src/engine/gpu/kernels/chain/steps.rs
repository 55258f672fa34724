//! What is the same in every chain's text but for numbers: how rows are read and written, and the
//! steps forward.

pub(super) const INPUT: &str = "
fn at$n(line: u32) -> u32 { return (first * $C + min(line, live * $C - 1u)) * $W; }
fn r$n(line: u32, k: u32) -> f32 { return x$n[at$n(line) + k]; }
fn s$n(line: u32, k: u32) -> f32 { return x$n[at$n(line) + k]; }
fn set$n(line: u32, k: u32, v: f32) {
    let at = at$n(line) + k;
    if (line < live * $C) { d_x$n[at] = select(d_x$n[at], 0.0, (sizes.fresh & $B) != 0u) + v; }
}
fn add$n(line: u32, k: u32, v: f32) {
    if (line < live * $C) { d_x$n[at$n(line) + k] += v; }
}
";
pub(super) const AT: &str = "
fn at$n(line: u32) -> u32 { return (first * $C + min(line, live * $C - 1u)) * $W; }
";
pub(super) const TILE: &str = "fn r$n(line: u32, k: u32) -> f32 { return $TILE; }\n";
pub(super) const OUT: &str = "    if (line < live * $C) { y$OUT[at$n(line) + k] = v; }\n";
pub(super) const KEPT: &str = "    if (line < live * $C) { scratch[saved$n(line) + k] = v; }\n";
pub(super) const SAVED: &str = "
fn saved$n(line: u32) -> u32 {
    return $KEPT * sizes.block + at$n(line) - sizes.begin * $C * $W;
}
fn s$n(line: u32, k: u32) -> f32 { return scratch[saved$n(line) + k]; }
";

pub(super) const NORM: &str = "
let t = lane / SHARE;
var own = 0.0;
for (var k = lane % SHARE; k < $K; k += SHARE) { own += r$I(t, k); }
let mean = sum_of_token(lane, own) / f32($K);
own = 0.0;
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let off = r$I(t, k) - mean;
    own += off * off;
}
let inverse = inverseSqrt(sum_of_token(lane, own) / f32($K) + $EPSILON);
for (var k = lane % SHARE; k < $K; k += SHARE) { put_$Y(t, k, (r$I(t, k) - mean) * inverse); }
";
pub(super) const INVARIANTS: &str = "
for (var at = lane; at < $T * $K; at += LANES) {
    let t = at / $K;
    let k = at % $K;
    let v = vec3<f32>(r$I(3u * t, k), r$I(3u * t + 1u, k), r$I(3u * t + 2u, k));
    let length = sqrt(dot(v, v) + $EPSILON);
    put_$Y(t, k, length / (1.0 + length));
}
";
pub(super) const TUPLE_HEAD: &str = "
let t = lane / SHARE;
var own = 0.0;
for (var at = lane % SHARE; at < 4u * $K; at += SHARE) {
    let h = at / $K;
    let k = at % $K;
    var v = 0.0;
    if (h == 0u) { v = r$I(t, $SCALAR + k); } else { v = r$J(3u * t + h - 1u, $VECTOR + k); }
    own += v * v;
}
let inverse = inverseSqrt(sum_of_token(lane, own) / f32($K) + $EPSILON);
";
pub(super) const TUPLE: &str = "
for (var at = lane % SHARE; at < 4u * $K; at += SHARE) {
    let h = at / $K;
    let k = at % $K;
    var v = 0.0;
    if (h == 0u) { v = r$I(t, $SCALAR + k); } else { v = r$J(3u * t + h - 1u, $VECTOR + k); }
    put_$Y(4u * t + h, k, v * inverse);
}
";
pub(super) const GATE: &str = "
for (var at = lane; at < $T * $K; at += LANES) {
    let t = at / $K;
    let k = at % $K;
    let l = 4u * t;
    let u = vec4<f32>(r$I(l, k), r$I(l + 1u, k), r$I(l + 2u, k), r$I(l + 3u, k));
    let v = vec4<f32>(r$J(l, k), r$J(l + 1u, k), r$J(l + 2u, k), r$J(l + 3u, k));
    let result = product(u * sigmoid(r$G(t, $GATE + k) + 1.0), v);
    put_$Y(t, k, result.x);
    put_$Z(3u * t, k, result.y);
    put_$Z(3u * t + 1u, k, result.z);
    put_$Z(3u * t + 2u, k, result.w);
}
";
pub(super) const UPDATE_HEAD: &str = "
let t = lane / SHARE;
var own = 0.0;
for (var at = lane % SHARE; at < 3u * $K; at += SHARE) {
    let l = 3u * t + at / $K;
    let k = at % $K;
    let w = r$I(l, k) + sigmoid(r$G(t, k)) * r$J(l, k);
    own += w * w;
}
let limit = inverseSqrt(1.0 + sum_of_token(lane, own) / (f32($K) * $EPSILON));
";
pub(super) const UPDATE: &str = "
for (var at = lane % SHARE; at < 3u * $K; at += SHARE) {
    let l = 3u * t + at / $K;
    let k = at % $K;
    put_$Y(l, k, (r$I(l, k) + sigmoid(r$G(t, k)) * r$J(l, k)) * limit);
}
";
pub(super) const READOUT_HEAD: &str = "
let t = lane / SHARE;
var own = vec3<f32>(0.0);
";
pub(super) const READOUT: &str = "
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let v = vec3<f32>(r$V(3u * t, k), r$V(3u * t + 1u, k), r$V(3u * t + 2u, k));
    own += r$J(t, $FIRST + k) * v;
}
";
pub(super) const READOUT_TAIL: &str = "
for (var h = 0u; h < 3u; h += 1u) {
    let all = sum_of_token(lane, own[h]);
    if (lane % SHARE == 0u) { put_$Y(3u * t + h, 0u, all); }
}
";
