// Behind a step of the corrector's dynamics: one group a system. A system that has settled, or has
// made its most steps, runs no more; see src/simulate/relax/corrector.rs.

struct Sizes {
    systems: u32,
    // steps that are made in any case, and at most
    least: u32, most: u32,
    // highest mean potential energy of one that has settled, kJ/mol; largest force on an atom of
    // it, kJ/mol/Å, squared
    band: f32, largest: f32,
}

// Steps over which the potential energy is averaged.
const RECENT = 25u;

@group(0) @binding(8) var<storage, read> forces: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read> totals: array<vec4<f32>>;
// Of each system: steps made, then potential energies of the last steps.
@group(0) @binding(10) var<storage, read_write> records: array<u32>;
@group(0) @binding(11) var<storage, read_write> goes_on: array<u32>;

const RECORD_WORDS = 32u;

var<workgroup> maxima: array<f32, LANES>;

fn potential(index: u32) -> f32 {
    let heads = totals[4u * index] + totals[4u * index + 1u];
    let tails = totals[4u * index + 2u] + totals[4u * index + 3u];
    let all = heads + tails;
    return (all.x + all.y) + (all.z + all.w);
}

@compute @workgroup_size(LANES)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || goes_on[index] == 0u) { return; }
    let system = systems[index];
    // one that is no number counts as the largest
    var largest = 0.0;
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        let square = squared(forces[system.first + atom].xyz);
        largest = max(largest, select(3e38, square, square <= 3e38));
    }
    maxima[lane] = largest;
    workgroupBarrier();
    if (lane > 0u) { return; }
    for (var other = 1u; other < LANES; other += 1u) { largest = max(largest, maxima[other]); }
    let at = RECORD_WORDS * index;
    let made = records[at] + 1u;
    records[at] = made;
    records[at + 1u + (made - 1u) % RECENT] = bitcast<u32>(potential(index));
    let count = min(made, RECENT);
    var sum = 0.0;
    for (var k = 0u; k < count; k += 1u) { sum += bitcast<f32>(records[at + 1u + k]); }
    let is_due = made >= sizes.least && sizes.least < sizes.most;
    let is_settled = sum / f32(count) <= sizes.band && largest <= sizes.largest;
    if (made >= sizes.most || (is_due && is_settled)) { goes_on[index] = 0u; }
}
