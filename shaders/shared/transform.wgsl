// Long convolutions by Fourier transforms of length n along the tokens, in place and without a
// transposition.
//
// `work` holds signals (q, k, the gradient of the output), of each its systems, of each its rows. A
// row is a token (later: a frequency), an element a tuple: α + i·r_x and r_y + i·r_z, two complex
// numbers in one vec4. VkFFT leaves a spectrum in its natural order (NATURAL); the passes below,
// for powers of two, decimate in frequency and leave it in digit-reversed order, inverse ones take
// it so. Systems of one length class go together; `graph` lists them from sizes.list on. A block of
// channels at a time bounds the memory. Compiled for the terms that there are and the parts of the
// tuples that they need, see long_conv.wgsl.

struct Sizes {
    n: u32,
    channels: u32, first_channel: u32, block: u32,
    list: u32, systems: u32,
    // length of the sub-transforms of a pass, its radix, 1: inverse
    length: u32, radix: u32, inverse: u32,
    // 1: a ring that is computed as a chain, then folded; 1: scale 1/√N, else 1/N
    folded: u32, root: u32,
    // which signal `pack` and `unpack` serve, and how they treat their buffer: 1: tokens in
    // reverse; 1: a gradient (is folded out, is added to); the passes: the number of signals
    signal: u32, reversed: u32, gradient: u32,
    // frequencies of a lane of d_product, and lanes that cover them all
    frequencies: u32, chunks: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> roots: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> lambda: array<f32>;
@group(0) @binding(5) var<storage, read> tuples: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
@group(0) @binding(7) var<storage, read_write> work: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> partial: array<f32>;

fn lambda_of(term: u32, c: u32) -> f32 {
    let channel = sizes.first_channel + c;
    if (term < FIRST_TERM || term >= FIRST_TERM + TERMS) { return 0.0; }
    return lambda[(term - FIRST_TERM) * sizes.channels + channel];
}

fn system_at(index: u32) -> u32 {
    return graph[sizes.list + index];
}

// Elements of a signal.
fn signal_size() -> u32 {
    return sizes.systems * sizes.n * sizes.block;
}

fn tokens_of(system: u32) -> u32 {
    return first_token(system + 1u) - first_token(system);
}

// Scale of the result over what the unnormalised transforms and the doubled spectra multiply it
// with.
fn factor(tokens: u32) -> f32 {
    let scale = select(1.0 / f32(tokens), 1.0 / sqrt(f32(tokens)), sizes.root != 0u);
    return scale / (4.0 * f32(sizes.n));
}

// Rows of `tuples` become rows of `work`, followed by zeros.
@compute @workgroup_size(LANES)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= signal_size()) { return; }
    let row = item / sizes.block;
    let system = system_at(row / sizes.n);
    let tokens = tokens_of(system);
    var index = row % sizes.n;
    // the gradient of a folded sum goes to both of its terms
    let beyond = index >= tokens && index < 2u * tokens - 1u;
    if (sizes.gradient != 0u && sizes.folded != 0u && beyond) { index -= tokens; }
    var value = vec4<f32>(0.0);
    if (index < tokens) {
        let token = first_token(system) + select(index, tokens - 1u - index, sizes.reversed != 0u);
        let first = token * 4u * sizes.channels + sizes.first_channel + item % sizes.block;
        if (SCALAR) { value.x = tuples[first]; }
        if (VECTOR) {
            value.y = tuples[first + sizes.channels];
            value.z = tuples[first + 2u * sizes.channels];
            value.w = tuples[first + 3u * sizes.channels];
        }
    }
    work[sizes.signal * signal_size() + item] = value;
}

// Rows of `work` become rows of `out`, or are added to them.
@compute @workgroup_size(LANES)
fn unpack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= signal_size()) { return; }
    let row = item / sizes.block;
    let system = system_at(row / sizes.n);
    let tokens = tokens_of(system);
    let index = row % sizes.n;
    if (index >= tokens) { return; }
    let first_value = sizes.signal * signal_size() + item;
    var value = work[first_value];
    if (sizes.gradient == 0u && sizes.folded != 0u && index + 1u < tokens) {
        value += work[first_value + tokens * sizes.block];
    }
    let token = first_token(system) + select(index, tokens - 1u - index, sizes.reversed != 0u);
    let first = token * 4u * sizes.channels + sizes.first_channel + item % sizes.block;
    for (var h = 0u; h < 4u; h += 1u) {
        let part = select(VECTOR, SCALAR, h == 0u);
        if (sizes.gradient != 0u) {
            if (part) { out[first + h * sizes.channels] += value[h]; }
        } else {
            out[first + h * sizes.channels] = select(0.0, value[h], part);
        }
    }
}

// Both complex numbers times that of w.
fn times(z: vec4<f32>, w: vec2<f32>) -> vec4<f32> {
    return z * w.x + vec4<f32>(-z.y, z.x, -z.w, z.z) * w.y;
}

// Both times −i (forward) or i (inverse).
fn quarter(z: vec4<f32>) -> vec4<f32> {
    let turned = vec4<f32>(z.y, -z.x, z.w, -z.z);
    return select(turned, -turned, sizes.inverse != 0u);
}

const HALF_ROOT = 0.70710678118654752;

fn dft4(z: array<vec4<f32>, 4>) -> array<vec4<f32>, 4> {
    let s = z[0] + z[2];
    let t = z[0] - z[2];
    let u = z[1] + z[3];
    let v = quarter(z[1] - z[3]);
    return array<vec4<f32>, 4>(s + u, t + v, s - u, t - v);
}

// One pass: radix 8, 4 or 2. One lane a butterfly and channel, channels side by side.
@compute @workgroup_size(LANES)
fn transform(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= sizes.signal * sizes.systems * (sizes.n / sizes.radix) * sizes.block) { return; }
    let c = item % sizes.block;
    let part = sizes.length / sizes.radix;
    // butterflies of a system follow one another, and systems and signals too
    let butterfly = item / sizes.block;
    let j = butterfly % part;
    let first = (butterfly / part * sizes.length + j) * sizes.block + c;
    let stride = part * sizes.block;
    let step = j * (sizes.n / sizes.length);
    var z: array<vec4<f32>, 8>;
    for (var t = 0u; t < sizes.radix; t += 1u) {
        z[t] = work[first + t * stride];
        if (sizes.inverse != 0u) {
            let w = roots[t * step];
            z[t] = times(z[t], vec2<f32>(w.x, -w.y));
        }
    }
    if (sizes.radix == 8u) {
        let even = dft4(array<vec4<f32>, 4>(z[0], z[2], z[4], z[6]));
        let odd = dft4(array<vec4<f32>, 4>(z[1], z[3], z[5], z[7]));
        let q1 = quarter(odd[1]);
        let q3 = quarter(odd[3]);
        let turned = array<vec4<f32>, 4>(
            odd[0], HALF_ROOT * (odd[1] + q1), quarter(odd[2]), HALF_ROOT * (q3 - odd[3]),
        );
        for (var t = 0u; t < 4u; t += 1u) {
            z[t] = even[t] + turned[t];
            z[t + 4u] = even[t] - turned[t];
        }
    } else if (sizes.radix == 4u) {
        let all = dft4(array<vec4<f32>, 4>(z[0], z[1], z[2], z[3]));
        for (var t = 0u; t < 4u; t += 1u) {
            z[t] = all[t];
        }
    } else {
        let both = z[0];
        z[0] = both + z[1];
        z[1] = both - z[1];
    }
    for (var t = 0u; t < sizes.radix; t += 1u) {
        if (sizes.inverse == 0u) {
            z[t] = times(z[t], roots[t * step]);
        }
        work[first + t * stride] = z[t];
    }
}

// Where frequency f stands after passes of radix 8, then one of 4 or 2.
fn position(f: u32) -> u32 {
    if (NATURAL) { return f; }
    var rest = f;
    var length = sizes.n;
    var at = 0u;
    while (length > 1u) {
        let radix = min(length, 8u);
        length = length / radix;
        at += rest % radix * length;
        rest = rest / radix;
    }
    return at;
}

// Twice the spectra of four real signals at f: real and imaginary part of each.
struct Bin { a: vec2<f32>, x: vec2<f32>, y: vec2<f32>, z: vec2<f32> }

fn unpacked(here: vec4<f32>, there: vec4<f32>) -> Bin {
    // (w(f) ± conj w(−f)), the second divided by i
    return Bin(
        vec2<f32>(here.x + there.x, here.y - there.y),
        vec2<f32>(here.y + there.y, there.x - here.x),
        vec2<f32>(here.z + there.z, here.w - there.w),
        vec2<f32>(here.w + there.w, there.z - here.z),
    );
}

fn packed_here(s: Bin) -> vec4<f32> {
    return vec4<f32>(s.a.x - s.x.y, s.a.y + s.x.x, s.y.x - s.z.y, s.y.y + s.z.x);
}

// At −f, where the spectra are the conjugates.
fn packed_there(s: Bin) -> vec4<f32> {
    return vec4<f32>(s.a.x + s.x.y, s.x.x - s.a.y, s.y.x + s.z.y, s.z.x - s.y.y);
}

fn product(p: vec2<f32>, q: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(p.x * q.x - p.y * q.y, p.x * q.y + p.y * q.x);
}

fn dotted(p: Bin, q: Bin) -> vec2<f32> {
    return product(p.x, q.x) + product(p.y, q.y) + product(p.z, q.z);
}

// The complex cross product, in a bin without scalar.
fn crossed(p: Bin, q: Bin) -> Bin {
    return Bin(
        vec2<f32>(0.0),
        product(p.y, q.z) - product(p.z, q.y),
        product(p.z, q.x) - product(p.x, q.z),
        product(p.x, q.y) - product(p.y, q.x),
    );
}

fn conjugate(s: Bin) -> Bin {
    let c = vec2<f32>(1.0, -1.0);
    return Bin(s.a * c, s.x * c, s.y * c, s.z * c);
}

// p·(scalar) + q·(scalar) + real multiple of s, vector parts only.
fn combined(
    scalar: vec2<f32>, p: vec2<f32>, pv: Bin, q: vec2<f32>, qv: Bin, l: f32, s: Bin,
) -> Bin {
    return Bin(
        scalar,
        product(p, pv.x) + product(q, qv.x) + l * s.x,
        product(p, pv.y) + product(q, qv.y) + l * s.y,
        product(p, pv.z) + product(q, qv.z) + l * s.z,
    );
}

// Elements of `work` at f and −f of a system and channel.
fn pair_of(system: u32, f: u32, c: u32) -> vec2<u32> {
    let first = system * sizes.n;
    let mirror = (sizes.n - f) % sizes.n;
    return (first + vec2<u32>(position(f), position(mirror))) * sizes.block + c;
}

// The spectrum of the convolution, in place of that of q.
@compute @workgroup_size(LANES)
fn multiply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    let half = sizes.n / 2u + 1u;
    if (item >= sizes.systems * half * sizes.block) { return; }
    let c = item % sizes.block;
    let system = item / sizes.block / half;
    let at = pair_of(system, item / sizes.block % half, c);
    let a = unpacked(work[at.x], work[at.y]);
    let k = at + signal_size();
    let b = unpacked(work[k.x], work[k.y]);
    let scale = factor(tokens_of(system_at(system)));
    let scalar = scale * (lambda_of(0u, c) * product(a.a, b.a) + lambda_of(1u, c) * dotted(a, b));
    let by_a = scale * lambda_of(2u, c) * a.a;
    let by_b = scale * lambda_of(3u, c) * b.a;
    let result = combined(scalar, by_a, b, by_b, a, scale * lambda_of(4u, c), crossed(a, b));
    work[at.x] = packed_here(result);
    work[at.y] = packed_there(result);
}

// The spectra of the gradients of q and k in place of theirs, and sums for that of λ: one lane a
// run of frequencies.
@compute @workgroup_size(LANES)
fn d_multiply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let item = place(group, groups) * LANES + lane;
    if (item >= sizes.systems * sizes.chunks * sizes.block) { return; }
    let c = item % sizes.block;
    let system = item / sizes.block / sizes.chunks;
    let chunk = item / sizes.block % sizes.chunks;
    let scale = factor(tokens_of(system_at(system)));
    let l = array<f32, 5>(
        scale * lambda_of(0u, c),
        scale * lambda_of(1u, c),
        scale * lambda_of(2u, c),
        scale * lambda_of(3u, c),
        scale * lambda_of(4u, c),
    );
    var sums = array<f32, 5>(0.0, 0.0, 0.0, 0.0, 0.0);
    let end = min((chunk + 1u) * sizes.frequencies, sizes.n / 2u + 1u);
    for (var f = chunk * sizes.frequencies; f < end; f += 1u) {
        let at = pair_of(system, f, c);
        let k = at + signal_size();
        let d_at = k + signal_size();
        let a = conjugate(unpacked(work[at.x], work[at.y]));
        let b = conjugate(unpacked(work[k.x], work[k.y]));
        let d = unpacked(work[d_at.x], work[d_at.y]);
        // what each term of the product hands to q
        let by_scalar = product(b.a, d.a);
        let by_dot = dotted(b, d);
        let by_cross = crossed(b, d);
        // Parseval over half a spectrum: a row that is not its own mirror image stands for two
        let weight = select(1.0, 0.5, at.x == at.y);
        sums[0] += weight * product(a.a, by_scalar).x;
        sums[1] += weight * product(dotted(a, b), d.a).x;
        sums[2] += weight * product(a.a, by_dot).x;
        sums[3] += weight * product(dotted(a, d), b.a).x;
        sums[4] += weight * dotted(a, by_cross).x;
        let q_scalar = l[0] * by_scalar + l[2] * by_dot;
        let to_q = combined(q_scalar, l[1] * d.a, b, l[3] * b.a, d, l[4], by_cross);
        let k_scalar = l[0] * product(a.a, d.a) + l[3] * dotted(a, d);
        let to_k = combined(k_scalar, l[1] * d.a, a, l[2] * a.a, d, l[4], crossed(d, a));
        work[at.x] = packed_here(to_q);
        work[at.y] = packed_there(to_q);
        work[k.x] = packed_here(to_k);
        work[k.y] = packed_there(to_k);
    }
    for (var term = 0u; term < 5u; term += 1u) {
        let row = (system * sizes.chunks + chunk) * 5u + term;
        partial[row * sizes.block + c] = scale * sums[term];
    }
}
