// A step of minimisation behind an evaluation: one group a system. L-BFGS as in
// src/forcefield/minimize.rs, each system by itself: where the trial point is low enough it is
// kept and the next direction found, else the step is halved; where it is done, it runs no more.

struct Sizes {
    systems: u32, rows: u32,
    most_steps: u32,
    // root-mean-square force and largest force at which it is done, kJ/mol/Å
    tolerance: f32, largest: f32,
}

const MEMORY = 10u;
const LONGEST_MOVE = 0.2;
const MOST_HALVINGS = 12u;

@group(0) @binding(8) var<storage, read_write> moved: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> left: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read> forces: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read> totals: array<vec4<f32>>;
// The point that the search is at: places and rests, forces; the direction of the search.
@group(0) @binding(12) var<storage, read_write> here: array<vec4<f32>>;
@group(0) @binding(13) var<storage, read_write> here_left: array<vec4<f32>>;
@group(0) @binding(14) var<storage, read_write> here_forces: array<vec4<f32>>;
@group(0) @binding(15) var<storage, read_write> directions: array<vec4<f32>>;
// MEMORY times all rows each: steps, changes of the gradient over them.
@group(0) @binding(16) var<storage, read_write> steps: array<vec4<f32>>;
@group(0) @binding(17) var<storage, read_write> changes: array<vec4<f32>>;
@group(0) @binding(18) var<storage, read_write> states: array<Search>;
@group(0) @binding(19) var<storage, read_write> goes_on: array<u32>;

struct Search {
    // whether there is a point yet, steps made, halvings left, pairs learnt, the newest's number
    is_there: u32, made: u32, halvings: u32, learnt: u32, newest: u32,
    // 1: forces are small enough; 2: nothing is left to gain; 3: no finite energy
    end: u32,
    length: f32, slope: f32,
    // root-mean-square force at the point
    rms: f32,
    unused: u32, unused2: u32, unused3: u32,
    inverses: array<f32, 12>,
    // energies at the point, as in `totals`
    heads: array<vec4<f32>, 2>,
    tails: array<vec4<f32>, 2>,
}

var<private> zero: u32;
var<workgroup> maxima: array<f32, LANES>;

fn kept(x: vec3<f32>) -> vec3<f32> {
    return bitcast<vec3<f32>>(bitcast<vec3<u32>>(x) ^ vec3<u32>(zero));
}

// Largest over the lanes; that of no numbers may be anything.
fn max_of_lanes(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    maxima[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half = half / 2u) {
        if (lane < half) { maxima[lane] = max(maxima[lane], maxima[lane + half]); }
        workgroupBarrier();
    }
    return maxima[0];
}

// Energy of the trial point less that of the point.
fn rise(index: u32) -> f32 {
    var sum = vec4<f32>();
    for (var half = 0u; half < 2u; half += 1u) {
        sum += totals[4u * index + half] - states[index].heads[half];
        sum += totals[4u * index + 2u + half] - states[index].tails[half];
    }
    return sum.x + sum.y + sum.z + sum.w;
}

fn is_finite(x: f32) -> bool { return abs(x) <= 3e38; }

// Takes the trial point; what is learnt of the step goes into memory.
fn accept(lane: u32, index: u32, system: System, search: ptr<function, Search>) {
    let slot = ((*search).newest + 1u) % MEMORY;
    var bend = 0.0;
    var square = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        let way = (moved[at].xyz - here[at].xyz) + (left[at].xyz - here_left[at].xyz);
        let change = here_forces[at].xyz - forces[at].xyz;
        steps[slot * sizes.rows + at] = vec4<f32>(way, 0.0);
        changes[slot * sizes.rows + at] = vec4<f32>(change, 0.0);
        bend += dot(way, change);
        square += squared(change);
        here[at] = moved[at];
        here_left[at] = left[at];
        here_forces[at] = forces[at];
    }
    let all = sum_of_lanes(lane, bend);
    let squares = sum_of_lanes(lane, square);
    if ((*search).is_there != 0u) {
        (*search).made += 1u;
        if (all > 1e-10 * squares) {
            (*search).newest = slot;
            (*search).learnt = min((*search).learnt + 1u, MEMORY);
            (*search).inverses[slot] = 1.0 / all;
        }
    }
    (*search).is_there = 1u;
    for (var half = 0u; half < 2u; half += 1u) {
        (*search).heads[half] = totals[4u * index + half];
        (*search).tails[half] = totals[4u * index + 2u + half];
    }
}

// directions += factor · (rows of a memory)
fn add_change(lane: u32, system: System, slot: u32, factor: f32) {
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        directions[at] += factor * changes[slot * sizes.rows + at];
    }
}

fn add_step(lane: u32, system: System, slot: u32, factor: f32) {
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        directions[at] += factor * steps[slot * sizes.rows + at];
    }
}

fn along_step(lane: u32, system: System, slot: u32) -> f32 {
    var sum = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        sum += dot(steps[slot * sizes.rows + at].xyz, directions[at].xyz);
    }
    return sum_of_lanes(lane, sum);
}

fn along_change(lane: u32, system: System, slot: u32) -> f32 {
    var sum = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        sum += dot(changes[slot * sizes.rows + at].xyz, directions[at].xyz);
    }
    return sum_of_lanes(lane, sum);
}

// The inverse Hessian times the force, by the two-loop recursion.
fn find_direction(lane: u32, system: System, search: ptr<function, Search>) {
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        directions[system.first + atom] = here_forces[system.first + atom];
    }
    let learnt = (*search).learnt;
    if (learnt == 0u) { return; }
    var weights: array<f32, MEMORY>;
    for (var back = 0u; back < learnt; back += 1u) {
        let slot = ((*search).newest + MEMORY - back) % MEMORY;
        weights[back] = (*search).inverses[slot] * along_step(lane, system, slot);
        add_change(lane, system, slot, -weights[back]);
    }
    let newest = (*search).newest;
    var square = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        square += squared(changes[newest * sizes.rows + system.first + atom].xyz);
    }
    let scale = 1.0 / ((*search).inverses[newest] * sum_of_lanes(lane, square));
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        directions[system.first + atom] *= scale;
    }
    for (var back = learnt; back > 0u; back -= 1u) {
        let slot = ((*search).newest + MEMORY - (back - 1u)) % MEMORY;
        let again = (*search).inverses[slot] * along_change(lane, system, slot);
        add_step(lane, system, slot, weights[back - 1u] - again);
    }
}

// The first length along a direction; whether there is one.
fn begin_search(lane: u32, system: System, search: ptr<function, Search>) -> bool {
    var along = 0.0;
    var longest = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let direction = directions[system.first + atom].xyz;
        along += dot(here_forces[system.first + atom].xyz, direction);
        longest = max(longest, squared(direction));
    }
    (*search).slope = sum_of_lanes(lane, along);
    let most = sqrt(max_of_lanes(lane, longest));
    (*search).length = min(LONGEST_MOVE / most, 1.0);
    (*search).halvings = MOST_HALVINGS;
    return (*search).slope > 0.0 && is_finite((*search).slope) && is_finite(most);
}

// Puts the atoms `length` along the direction; where that is none, at the point.
fn put(lane: u32, system: System, length: f32) {
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let at = system.first + atom;
        let start = here[at].xyz;
        let way = select(length * directions[at].xyz, vec3<f32>(), length == 0.0);
        let sum = kept(start + way);
        let part = kept(sum - start);
        let rest = here_left[at].xyz + ((start - kept(sum - part)) + (way - part));
        moved[at] = vec4<f32>(sum, 0.0);
        left[at] = vec4<f32>(rest, 0.0);
    }
}

// Whether the forces at the point are small enough.
fn is_done(lane: u32, system: System, search: ptr<function, Search>) -> bool {
    var sum = 0.0;
    var largest = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let square = squared(here_forces[system.first + atom].xyz);
        sum += square;
        largest = max(largest, square);
    }
    (*search).rms = sqrt(sum_of_lanes(lane, sum) / f32(system.atoms));
    let most = sqrt(max_of_lanes(lane, largest));
    return (*search).rms <= sizes.tolerance && most <= sizes.largest;
}

// A direction and a length from the point, or the end of the search.
fn go_on(lane: u32, system: System, search: ptr<function, Search>) {
    if (is_done(lane, system, search)) {
        (*search).end = 1u;
    } else if ((*search).made < sizes.most_steps) {
        find_direction(lane, system, search);
        var is_open = begin_search(lane, system, search);
        if (!is_open && (*search).learnt > 0u) {
            (*search).learnt = 0u;
            find_direction(lane, system, search);
            is_open = begin_search(lane, system, search);
        }
        if (!is_open) { (*search).end = 2u; }
    } else {
        (*search).end = 4u;
    }
}

@compute @workgroup_size(LANES)
fn descend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || goes_on[index] == 0u) { return; }
    zero = goes_on[index] >> 31u;
    let system = systems[index];
    var search = states[index];
    let up = rise(index);
    let is_first = search.is_there == 0u;
    // false where it is no number
    if (is_first || up <= -1e-4 * search.length * search.slope) {
        accept(lane, index, system, &search);
        if (is_first && !is_finite(up)) { search.end = 3u; } else { go_on(lane, system, &search); }
    } else if (search.halvings > 1u) {
        search.halvings -= 1u;
        search.length *= 0.5;
    } else if (search.learnt > 0u) {
        search.learnt = 0u;
        go_on(lane, system, &search);
    } else {
        // not even straight downhill: rounding hides what is left to gain
        search.end = 2u;
    }
    put(lane, system, select(search.length, 0.0, search.end != 0u));
    // all lanes have read the state
    workgroupBarrier();
    if (lane == 0u) {
        states[index] = search;
        if (search.end != 0u) { goes_on[index] = 0u; }
    }
}
