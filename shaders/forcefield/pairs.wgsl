// Second sweep: Lennard-Jones, Coulomb and generalised Born energy with forces, and how the energy
// changes with every Born integral; src/forcefield/nonbonded.rs.

@group(0) @binding(11) var<storage, read> kinds: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read> radii: array<vec4<f32>>;
// ∂E/∂I of every atom.
@group(0) @binding(13) var<storage, read_write> slopes: array<f32>;
// Added to: those of the bonded terms are there.
@group(0) @binding(14) var<storage, read_write> forces: array<vec4<f32>>;
// Of every atom: bond, angle, torsion, pairs three bonds apart; other pairs, solvation, surface.
@group(0) @binding(15) var<storage, read_write> energies: array<vec4<f32>>;

// Place and charge; half of σ, 2√ε, Born radius, its inverse.
var<workgroup> others: array<vec4<f32>, LANES>;
var<workgroup> traits_of: array<vec4<f32>, LANES>;
var<private> here: vec4<f32>;
var<private> traits: vec4<f32>;
// Force and B·∂E/∂B.
var<private> sum: vec4<f32>;
// Of twice the pairs there are: Lennard-Jones and Coulomb, generalised Born.
var<private> energy: vec2<f32>;

fn traits_at(at: u32, kind: u32) -> vec4<f32> {
    return vec4<f32>(kinds[kind].yz, radii[at].xy);
}

fn take(at: u32, kind: u32) {
    here = vec4<f32>(places[at].xyz, kinds[kind].x);
    traits = traits_at(at, kind);
    sum = vec4<f32>();
    energy = vec2<f32>();
}

fn hold(lane: u32, at: u32, kind: u32) {
    others[lane] = vec4<f32>(places[at].xyz, kinds[kind].x);
    traits_of[lane] = traits_at(at, kind);
}

fn feel(k: u32, is_own: bool, is_full: bool) {
    let delta = here.xyz - others[k].xyz;
    let r2 = select(squared(delta), NOWHERE, is_own);
    let charges = here.w * others[k].w;
    let other = traits_of[k];
    // generalised Born: f² = r² + B_i B_j e^(−a), a = r²/(4 B_i B_j)
    let product = traits.z * other.z;
    let a = 0.25 * r2 * traits.w * other.w;
    let smeared = exp(-a);
    let inverse_r = inverseSqrt(r2);
    let inverse_f = inverseSqrt(r2 + product * smeared);
    let solvation = select(SOLVATION * charges * inverse_f, 0.0, is_own);
    let slope = solvation * inverse_f * inverse_f;
    let smeared_slope = slope * smeared;
    // Lennard-Jones and Coulomb
    let inverse_r2 = inverse_r * inverse_r;
    let sigma = traits.x + other.x;
    let u = sigma * sigma * inverse_r2;
    let u3 = u * u * u;
    let depth = select(0.0, traits.y * other.y * u3, is_full);
    let electric = select(0.0, COULOMB * charges * inverse_r, is_full);
    var push = (depth * (12.0 * u3 - 6.0) + electric) * inverse_r2 + 0.25 * smeared_slope - slope;
    var d_born = smeared_slope * product * (0.5 * a + 0.5);
    var own = vec2<f32>(depth * (u3 - 1.0) + electric, -solvation);
    if (CUT) {
        let t = clamp((sizes.end - r2) * sizes.steepness, 0.0, 1.0);
        let part = t * t * (3.0 - 2.0 * t);
        push = part * push + 12.0 * t * (1.0 - t) * sizes.steepness * (own.x + own.y);
        d_born *= part;
        own *= part;
    }
    sum += vec4<f32>(push * delta, d_born);
    energy += own;
}

fn finish(lane: u32, is_there: bool, at: u32, kind: u32) {
    let all = sum_of_split(lane, sum);
    let both = 0.5 * sum_of_split(lane, vec4<f32>(energy, 0.0, 0.0)).xy;
    if (!is_there) { return; }
    let born = radii[at];
    let own = -0.5 * SOLVATION * here.w * here.w * born.y;
    let radius = kinds[kind].w + OFFSET;
    let share = radius * born.y;
    let share2 = share * share;
    let surface = SURFACE * (radius + PROBE) * (radius + PROBE) * share2 * share2 * share2;
    slopes[at] = (all.w - own - 6.0 * surface) * born.y * born.z;
    forces[at] = vec4<f32>(forces[at].xyz + all.xyz, 0.0);
    energies[2u * at + 1u] = vec4<f32>(both.x, both.y + own, surface, 0.0);
}
