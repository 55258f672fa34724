// Normal numbers by counter: ChaCha8 keyed by seed and attempt, stream = replica, position = step
// and atom (src/geometry/noise.rs), and Box and Muller's transform of its words.

struct Key { seed: vec2<u32>, attempt: vec2<u32>, replica: vec2<u32>, step: u32 }

fn turned(x: vec4<u32>, bits: u32) -> vec4<u32> {
    return (x << vec4<u32>(bits)) | (x >> vec4<u32>(32u - bits));
}

struct Rows { a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32> }

fn quarter_rounds(rows: Rows) -> Rows {
    var r = rows;
    r.a += r.b;
    r.d = turned(r.d ^ r.a, 16u);
    r.c += r.d;
    r.b = turned(r.b ^ r.c, 12u);
    r.a += r.b;
    r.d = turned(r.d ^ r.a, 8u);
    r.c += r.d;
    r.b = turned(r.b ^ r.c, 7u);
    return r;
}

// The first four words of a block.
fn words(key: Key, block: u32) -> vec4<u32> {
    let first = vec4<u32>(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u);
    var r = Rows(
        first,
        vec4<u32>(key.seed, key.attempt),
        vec4<u32>(),
        vec4<u32>(block, key.step, key.replica),
    );
    for (var pair = 0u; pair < 4u; pair += 1u) {
        r = quarter_rounds(r);
        r = quarter_rounds(Rows(r.a, r.b.yzwx, r.c.zwxy, r.d.wxyz));
        r = Rows(r.a, r.b.wxyz, r.c.zwxy, r.d.yzwx);
    }
    return r.a + first;
}

// cos and sin of 2π·word/2³², by Cephes' polynomials: those of WGSL may be off by 5e-4.
fn circle(word: u32) -> vec2<f32> {
    let quadrant = (word + 0x20000000u) >> 30u;
    let x = f32(bitcast<i32>(word - (quadrant << 30u))) * 1.4629180792671596e-9;
    let z = x * x;
    let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * x + x;
    let p = (2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2;
    let c = p * z * z - 0.5 * z + 1.0;
    switch quadrant & 3u {
        case 0u: { return vec2<f32>(c, s); }
        case 1u: { return vec2<f32>(-s, c); }
        case 2u: { return vec2<f32>(-c, -s); }
        default: { return vec2<f32>(s, -c); }
    }
}

fn span(word: u32) -> f32 {
    return sqrt(max(-2.0 * ln((f32(word) + 1.0) * 2.3283064365386963e-10), 0.0));
}

// Three independent numbers of zero mean and unit variance.
fn normal(key: Key, atom: u32) -> vec3<f32> {
    let w = words(key, atom);
    return vec3<f32>(span(w.x) * circle(w.y), span(w.z) * circle(w.w).x);
}
