// Bonds, angles, torsions and pairs three bonds apart, gathered by atom: every atom computes the
// terms that it takes part in, and keeps its own force and its share of the energy. The lanes of an
// atom take turns. See src/forcefield/bonded.rs.

// For each atom by kind where its bonds, angles, dihedrals and pairs begin, and where they end.
@group(0) @binding(8) var<storage, read> starts: array<u32>;
// The terms, written by src/forcefield/gpu/terms.rs; atoms by their number in the molecule.
@group(0) @binding(9) var<storage, read> terms: array<u32>;
@group(0) @binding(10) var<storage, read_write> forces: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read_write> energies: array<vec4<f32>>;

// First row of the system.
var<private> base: u32;
var<private> force: vec3<f32>;
// Bond, angle, torsion, pairs.
var<private> energy: vec4<f32>;

fn number(at: u32) -> f32 { return bitcast<f32>(terms[at]); }

// From an atom to another, exact although both are far from the middle.
fn between(a: u32, b: u32) -> vec3<f32> {
    return (places[base + b].xyz - places[base + a].xyz)
        + (rests[base + b].xyz - rests[base + a].xyz);
}

// atan2(s, c), to 2e-7, by Cephes' arctangent: that of WGSL may be off by 4096 units of the last
// place.
fn angle_of(s: f32, c: f32) -> f32 {
    let low = min(abs(s), abs(c));
    let high = max(abs(s), abs(c));
    let is_wide = low > 0.41421356 * high;
    let x = select(low, low - high, is_wide) / max(select(high, low + high, is_wide), 1e-30);
    let z = x * x;
    var p = 0.0805374449538;
    p = p * z - 0.138776856032;
    p = p * z + 0.199777106478;
    p = p * z - 0.333329491539;
    var angle = p * z * x + x + select(0.0, 0.7853981633974483, is_wide);
    angle = select(angle, 1.5707963267948966 - angle, abs(s) > abs(c));
    angle = select(angle, 3.141592653589793 - angle, c < 0.0);
    return select(angle, -angle, s < 0.0);
}

// Other atom, length, k.
fn bond(own: u32, at: u32) {
    let delta = between(terms[at], own);
    let r = length(delta);
    let stretch = r - number(at + 1u);
    let k = number(at + 2u);
    force -= delta * (k * stretch / max(r, 1e-30));
    energy.x += 0.25 * k * stretch * stretch;
}

// End, middle, end, which of them this atom is, cos θ0, sin θ0, k.
fn angle(at: u32) {
    let middle = terms[at + 1u];
    let u = between(middle, terms[at]);
    let v = between(middle, terms[at + 2u]);
    let normal = cross(u, v);
    let area = length(normal);
    let cosine = number(at + 4u);
    let sine = number(at + 5u);
    let along = dot(u, v);
    // θ − θ0, which is small, by its own sine and cosine
    let bend = angle_of(area * cosine - along * sine, along * cosine + area * sine);
    let k = number(at + 6u);
    energy.y += k * bend * bend / 6.0;
    let slope = select(0.0, -k * bend / area, area > 1e-6);
    let on_first = cross(u, normal) * (slope / squared(u));
    let on_last = cross(normal, v) * (slope / squared(v));
    switch terms[at + 3u] {
        case 0u: { force += on_first; }
        case 1u: { force -= on_first + on_last; }
        default: { force += on_last; }
    }
}

// Four atoms, which of them this atom is, Σ k, and as k cos φ0, k sin φ0 the periods 1 to PERIODS.
fn dihedral(at: u32) {
    let f = between(terms[at + 1u], terms[at]);
    let g = between(terms[at + 2u], terms[at + 1u]);
    let h = between(terms[at + 2u], terms[at + 3u]);
    let a = cross(f, g);
    let b = cross(h, g);
    let a2 = squared(a);
    let b2 = squared(b);
    let g1 = length(g);
    energy.z += 0.25 * number(at + 5u);
    let scale = sqrt(a2 * b2);
    if (!(scale > 1e-8)) { return; }
    let cosine = dot(a, b) / scale;
    let sine = dot(cross(b, a), g) / (scale * g1);
    var slope = 0.0;
    var c = 1.0;
    var s = 0.0;
    var sum = 0.0;
    for (var n = 1u; n <= PERIODS; n += 1u) {
        let before = c;
        c = c * cosine - s * sine;
        s = s * cosine + before * sine;
        let on_cosine = number(at + 4u + 2u * n);
        let on_sine = number(at + 5u + 2u * n);
        sum += on_cosine * c + on_sine * s;
        slope += f32(n) * (on_sine * c - on_cosine * s);
    }
    energy.z += 0.25 * sum;
    let on_first = a * (slope * g1 / a2);
    let on_last = b * (-slope * g1 / b2);
    let shift = a * (slope * dot(f, g) / (a2 * g1)) - b * (slope * dot(h, g) / (b2 * g1));
    switch terms[at + 4u] {
        case 0u: { force += on_first; }
        case 1u: { force -= on_first + shift; }
        case 2u: { force += shift - on_last; }
        default: { force += on_last; }
    }
}

// Other atom, Coulomb constant and charges, σ, ε.
fn pair(own: u32, at: u32) {
    let delta = between(terms[at], own);
    let inverse_r2 = 1.0 / squared(delta);
    let sigma = number(at + 2u);
    let u = sigma * sigma * inverse_r2;
    let u3 = u * u * u;
    let depth = 4.0 * number(at + 3u) * u3;
    let electric = number(at + 1u) * sqrt(inverse_r2);
    force += delta * ((depth * (12.0 * u3 - 6.0) + electric) * inverse_r2);
    energy.w += 0.5 * (depth * (u3 - 1.0) + electric);
}

@compute @workgroup_size(LANES)
fn bonded(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index_of_group = place(group, groups);
    if (index_of_group >= sizes.groups) { return; }
    let index = group_systems[index_of_group];
    if (running[index] == 0u) { return; }
    let system = systems[index];
    let atom = (index_of_group - system.group) * ATOMS + lane / SPLIT;
    let own = min(atom, system.atoms - 1u);
    base = system.first;
    force = vec3<f32>();
    energy = vec4<f32>();
    let first = 5u * (system.kind + own);
    let turn = lane % SPLIT;
    for (var at = starts[first] + 3u * turn; at < starts[first + 1u]; at += 3u * SPLIT) {
        bond(own, at);
    }
    for (var at = starts[first + 1u] + 7u * turn; at < starts[first + 2u]; at += 7u * SPLIT) {
        angle(at);
    }
    let words = 6u + 2u * PERIODS;
    for (var at = starts[first + 2u] + words * turn; at < starts[first + 3u]; at += words * SPLIT) {
        dihedral(at);
    }
    for (var at = starts[first + 3u] + 4u * turn; at < starts[first + 4u]; at += 4u * SPLIT) {
        pair(own, at);
    }
    let all = sum_of_split(lane, vec4<f32>(force, 0.0));
    let shares = sum_of_split(lane, energy);
    if (turn == 0u && atom < system.atoms) {
        forces[system.first + own] = all;
        energies[2u * (system.first + own)] = shares;
    }
}
