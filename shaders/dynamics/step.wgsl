// A step of dynamics but for the force: one group a system, one lane a cluster of atoms (a heavy
// atom and the hydrogens whose bonds are held, or one atom), so that constraints concern one lane.
// See src/simulate/dynamics.rs and src/simulate/constraints.rs.

struct Sizes {
    systems: u32,
    // whether friction and noise are made, and whether the centre of mass is stopped
    is_langevin: u32, stop_centre: u32,
    seed_low: u32, seed_high: u32,
    // half a step times what makes Å/ps² of kJ/mol/Å/Da; ps from force to force
    kick: f32, time: f32,
    // e^(−friction·time) and √(1 − its square) times the thermal speed of 1 Da, Å/ps
    keep: f32, renew: f32,
}

const MOST_BONDS = 4u;
const MOST_ITERATIONS = 30u;
// Relative error of half a squared length at which the iteration stops: f32 resolves no less.
const TOLERANCE = 3e-7;

@group(0) @binding(8) var<storage, read_write> moved: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> left: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> velocities: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read> forces: array<vec4<f32>>;
// Inverse mass and mass by kind.
@group(0) @binding(12) var<storage, read> masses: array<vec2<f32>>;
// For each system its molecule's first cluster and their number.
@group(0) @binding(13) var<storage, read> cluster_ranges: array<vec2<u32>>;
// Central atom, number of bonds; four other atoms; four squared lengths.
@group(0) @binding(14) var<storage, read> clusters: array<u32>;
// Of each system: step, attempt (two words), replica (two), heat from the bath, kJ/mol, and what
// rounding took off it.
@group(0) @binding(15) var<storage, read_write> states: array<u32>;

const STATE_WORDS = 8u;
const CLUSTER_WORDS = 10u;

var<private> zero: u32;

// The same number, so that no compiler takes (a + b) − a for b: zero is known to memory alone.
fn kept(x: vec3<f32>) -> vec3<f32> {
    return bitcast<vec3<f32>>(bitcast<vec3<u32>>(x) ^ vec3<u32>(zero));
}

// Atoms of a cluster: the central one, then the others.
struct Cluster {
    count: u32,
    atoms: array<u32, 5>,
    squares: vec4<f32>,
    // inverse masses: of the central atom, of the others
    heavy: f32, light: vec4<f32>,
}

alias Vectors = array<vec3<f32>, 5>;
alias Bonds = array<vec3<f32>, 4>;

fn cluster_at(index: u32, system: System) -> Cluster {
    let at = CLUSTER_WORDS * index;
    var cluster: Cluster;
    cluster.count = clusters[at + 1u];
    cluster.atoms[0] = clusters[at];
    cluster.heavy = masses[system.kind + clusters[at]].x;
    for (var k = 0u; k < MOST_BONDS; k += 1u) {
        let atom = clusters[at + 2u + k];
        cluster.atoms[k + 1u] = atom;
        cluster.squares[k] = bitcast<f32>(clusters[at + 6u + k]);
        cluster.light[k] = masses[system.kind + atom].x;
    }
    return cluster;
}

fn velocities_of(cluster: Cluster, first: u32) -> Vectors {
    var speeds: Vectors;
    for (var k = 0u; k <= cluster.count; k += 1u) {
        speeds[k] = velocities[first + cluster.atoms[k]].xyz;
    }
    return speeds;
}

fn keep_velocities(cluster: Cluster, first: u32, speeds: Vectors) {
    for (var k = 0u; k <= cluster.count; k += 1u) {
        velocities[first + cluster.atoms[k]] = vec4<f32>(speeds[k], 0.0);
    }
}

// From the central atom to the others; zero beyond the last.
fn bonds_at(cluster: Cluster, first: u32) -> Bonds {
    let centre = first + cluster.atoms[0];
    var bonds: Bonds;
    for (var k = 0u; k < cluster.count; k += 1u) {
        let other = first + cluster.atoms[k + 1u];
        bonds[k] = (moved[other].xyz - moved[centre].xyz) + (left[other].xyz - left[centre].xyz);
    }
    return bonds;
}

// λ of Σ_l now_k · old_l (1/m_heavy + δ_kl/m_light) λ_l = b_k.
fn solve(cluster: Cluster, now: Bonds, old: Bonds, right: vec4<f32>) -> vec4<f32> {
    var b = right;
    var m: array<vec4<f32>, 4>;
    for (var k = 0u; k < MOST_BONDS; k += 1u) {
        let along = now[k];
        let row = vec4<f32>(
            dot(along, old[0]), dot(along, old[1]), dot(along, old[2]), dot(along, old[3]),
        );
        m[k] = row * cluster.heavy;
        m[k][k] += row[k] * cluster.light[k];
        if (k >= cluster.count) { m[k][k] = 1.0; }
    }
    for (var k = 0u; k < MOST_BONDS; k += 1u) {
        for (var below = k + 1u; below < MOST_BONDS; below += 1u) {
            let share = m[below][k] / m[k][k];
            m[below] -= share * m[k];
            b[below] -= share * b[k];
        }
    }
    for (var up = 0u; up < MOST_BONDS; up += 1u) {
        let k = MOST_BONDS - 1u - up;
        var known = 0.0;
        for (var l = k + 1u; l < MOST_BONDS; l += 1u) { known += m[k][l] * b[l]; }
        b[k] = (b[k] - known) / m[k][k];
    }
    return b;
}

// Moves the ends of each bond by λ along it, each by its inverse mass.
fn pushed(cluster: Cluster, along: Bonds, lambda: vec4<f32>, what: Vectors) -> Vectors {
    var after = what;
    for (var k = 0u; k < cluster.count; k += 1u) {
        after[0] += along[k] * (lambda[k] * cluster.heavy);
        after[k + 1u] -= along[k] * (lambda[k] * cluster.light[k]);
    }
    return after;
}

fn without_stretching(cluster: Cluster, along: Bonds, speeds: Vectors) -> Vectors {
    if (cluster.count == 0u) { return speeds; }
    var rates = vec4<f32>();
    for (var k = 0u; k < cluster.count; k += 1u) {
        rates[k] = dot(along[k], speeds[k + 1u] - speeds[0]);
    }
    return pushed(cluster, along, solve(cluster, along, along, rates), speeds);
}

// Ways of the atoms that leave all lengths right.
fn held(cluster: Cluster, old: Bonds, ways: Vectors) -> Vectors {
    var way = ways;
    for (var turn = 0u; turn < MOST_ITERATIONS; turn += 1u) {
        var now: Bonds;
        var excess = vec4<f32>();
        var worst = 0.0;
        for (var k = 0u; k < cluster.count; k += 1u) {
            now[k] = old[k] + (way[k + 1u] - way[0]);
            excess[k] = 0.5 * (squared(now[k]) - cluster.squares[k]);
            worst = max(worst, abs(excess[k]) / cluster.squares[k]);
        }
        if (worst <= TOLERANCE) { break; }
        way = pushed(cluster, old, solve(cluster, now, old, excess), way);
    }
    return way;
}

// Adds a way to a place and its rest.
fn advance(at: u32, way: vec3<f32>) {
    let place_now = moved[at].xyz;
    let sum = kept(place_now + way);
    let part = kept(sum - place_now);
    let rest = left[at].xyz + ((place_now - kept(sum - part)) + (way - part));
    let after = kept(sum + rest);
    moved[at] = vec4<f32>(after, 0.0);
    left[at] = vec4<f32>(rest - kept(after - sum), 0.0);
}

// Positions by `time` of velocity, and the velocities that they then have.
fn drifted(cluster: Cluster, first: u32, time: f32, speeds: Vectors) -> Vectors {
    var way: Vectors;
    for (var k = 0u; k <= cluster.count; k += 1u) { way[k] = speeds[k] * time; }
    if (cluster.count == 0u) {
        advance(first + cluster.atoms[0], way[0]);
        return speeds;
    }
    way = held(cluster, bonds_at(cluster, first), way);
    var after: Vectors;
    for (var k = 0u; k <= cluster.count; k += 1u) {
        advance(first + cluster.atoms[k], way[k]);
        after[k] = way[k] / time;
    }
    return without_stretching(cluster, bonds_at(cluster, first), after);
}

fn mass_of(cluster: Cluster, system: System, k: u32) -> f32 {
    return masses[system.kind + cluster.atoms[k]].y;
}

// Twice the kinetic energy in Da Å²/ps².
fn twice_kinetic(cluster: Cluster, system: System, speeds: Vectors) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k <= cluster.count; k += 1u) {
        sum += mass_of(cluster, system, k) * squared(speeds[k]);
    }
    return sum;
}

fn kicked(cluster: Cluster, system: System, speeds: Vectors) -> Vectors {
    var after = speeds;
    for (var k = 0u; k <= cluster.count; k += 1u) {
        let atom = cluster.atoms[k];
        let inverse = masses[system.kind + atom].x;
        after[k] += forces[system.first + atom].xyz * (sizes.kick * inverse);
    }
    return without_stretching(cluster, bonds_at(cluster, system.first), after);
}

fn key_of(index: u32) -> Key {
    let at = STATE_WORDS * index;
    return Key(
        vec2<u32>(sizes.seed_low, sizes.seed_high),
        vec2<u32>(states[at + 1u], states[at + 2u]),
        vec2<u32>(states[at + 3u], states[at + 4u]),
        states[at],
    );
}

// Sum over the lanes, in their order.
fn sum4(lane: u32, value: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(
        sum_of_lanes(lane, value.x),
        sum_of_lanes(lane, value.y),
        sum_of_lanes(lane, value.z),
        sum_of_lanes(lane, value.w),
    );
}

// The step up to the new force.
@compute @workgroup_size(LANES)
fn depart(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || running[index] == 0u) { return; }
    zero = running[index] >> 31u;
    let system = systems[index];
    let range = cluster_ranges[index];
    let key = key_of(index);
    let part = select(sizes.time, 0.5 * sizes.time, sizes.is_langevin != 0u);
    // momentum and mass
    var momentum = vec4<f32>();
    var heat = 0.0;
    for (var at = lane; at < range.y; at += LANES) {
        let cluster = cluster_at(range.x + at, system);
        var speeds = kicked(cluster, system, velocities_of(cluster, system.first));
        speeds = drifted(cluster, system.first, part, speeds);
        if (sizes.is_langevin != 0u) {
            heat -= twice_kinetic(cluster, system, speeds);
            for (var k = 0u; k <= cluster.count; k += 1u) {
                let mass = mass_of(cluster, system, k);
                let speed = sizes.renew * inverseSqrt(mass);
                speeds[k] = speeds[k] * sizes.keep + speed * normal(key, cluster.atoms[k]);
            }
            speeds = without_stretching(cluster, bonds_at(cluster, system.first), speeds);
            for (var k = 0u; k <= cluster.count; k += 1u) {
                let mass = mass_of(cluster, system, k);
                momentum += mass * vec4<f32>(speeds[k], 1.0);
            }
        }
        keep_velocities(cluster, system.first, speeds);
    }
    if (sizes.is_langevin != 0u) {
        let all = sum4(lane, momentum);
        let centre = select(vec3<f32>(), all.xyz / all.w, sizes.stop_centre != 0u);
        for (var at = lane; at < range.y; at += LANES) {
            let cluster = cluster_at(range.x + at, system);
            var speeds = velocities_of(cluster, system.first);
            for (var k = 0u; k <= cluster.count; k += 1u) { speeds[k] -= centre; }
            heat += twice_kinetic(cluster, system, speeds);
            keep_velocities(cluster, system.first, drifted(cluster, system.first, part, speeds));
        }
        let gained = 0.5 * KINETIC * sum_of_lanes(lane, heat);
        if (lane == 0u) { note_heat(STATE_WORDS * index, gained); }
    }
    if (lane == 0u) { states[STATE_WORDS * index] = key.step + 1u; }
}

fn note_heat(at: u32, gained: f32) {
    let before = bitcast<f32>(states[at + 5u]);
    let sum = kept(vec3<f32>(before + gained)).x;
    let part = kept(vec3<f32>(sum - before)).x;
    let rest = (before - kept(vec3<f32>(sum - part)).x) + (gained - part);
    states[at + 5u] = bitcast<u32>(sum);
    states[at + 6u] = bitcast<u32>(bitcast<f32>(states[at + 6u]) + rest);
}

// The rest of the step: half of the new force.
@compute @workgroup_size(LANES)
fn arrive(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || running[index] == 0u) { return; }
    let system = systems[index];
    let range = cluster_ranges[index];
    for (var at = lane; at < range.y; at += LANES) {
        let cluster = cluster_at(range.x + at, system);
        let speeds = kicked(cluster, system, velocities_of(cluster, system.first));
        keep_velocities(cluster, system.first, speeds);
    }
}

// Lengths that are right, along the bonds as they are.
@compute @workgroup_size(LANES)
fn hold(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || running[index] == 0u) { return; }
    zero = running[index] >> 31u;
    let system = systems[index];
    let range = cluster_ranges[index];
    for (var at = lane; at < range.y; at += LANES) {
        let cluster = cluster_at(range.x + at, system);
        if (cluster.count > 0u) {
            var way: Vectors;
            way = held(cluster, bonds_at(cluster, system.first), way);
            for (var k = 0u; k <= cluster.count; k += 1u) {
                advance(system.first + cluster.atoms[k], way[k]);
            }
        }
    }
}
