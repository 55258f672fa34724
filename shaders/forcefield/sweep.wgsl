// All pairs of an atom, for the kernels that sweep over them: SPLIT lanes an atom, each with every
// SPLIT-th atom of a tile that the group holds in its shared memory. A kernel says what a lane
// knows of its own atom (`take`), what a tile holds of the others (`hold`), what a pair adds to the
// lane's own sums (`feel`), and what becomes of them (`finish`).

// Lowest and highest place of each group's atoms.
@group(0) @binding(8) var<storage, read> boxes: array<vec4<f32>>;
// For each group by kind its tiles that hold excluded pairs: first of them (one more than there are
// groups), number of the tile, and for each lane a bit a pair that is not excluded.
@group(0) @binding(9) var<storage, read> first_masks: array<u32>;
@group(0) @binding(10) var<storage, read> masks: array<u32>;

// Squared distance of two atoms that are none: nothing is felt.
const NOWHERE = 1e12;

// Whether no atom of a tile is within the cutoff of this group's.
fn is_beyond(system: System, number: u32, tile: u32) -> bool {
    let low = boxes[2u * number].xyz;
    let high = boxes[2u * number + 1u].xyz;
    let groups = (system.atoms + ATOMS - 1u) / ATOMS;
    let first = tile * SPLIT;
    let last = min(first + SPLIT, groups);
    for (var other = first; other < last; other += 1u) {
        let at = 2u * (system.group + other);
        let gap = max(max(boxes[at].xyz - high, low - boxes[at + 1u].xyz), vec3<f32>());
        // also where one is no number
        if (!(squared(gap) >= sizes.end)) { return false; }
    }
    return true;
}

@compute @workgroup_size(LANES)
fn sweep(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = place(group, groups);
    if (number >= sizes.groups) { return; }
    let index = group_systems[number];
    if (running[index] == 0u) { return; }
    let system = systems[index];
    let group_of_kind = system.kind_group + number - system.group;
    let atom = (number - system.group) * ATOMS + lane / SPLIT;
    // lanes beyond the last atom repeat it
    let own = min(atom, system.atoms - 1u);
    take(system.first + own, system.kind + own);
    var mask = first_masks[group_of_kind];
    let last_mask = first_masks[group_of_kind + 1u];
    for (var first = 0u; first < system.atoms; first += LANES) {
        let tile = first / LANES;
        var bits = 0xffffffffu;
        if (mask < last_mask && masks[mask * (LANES + 1u)] == tile) {
            bits = masks[mask * (LANES + 1u) + 1u + lane];
            mask += 1u;
        }
        if (CUT && is_beyond(system, number, tile)) { continue; }
        let other = min(first + lane, system.atoms - 1u);
        workgroupBarrier();
        hold(lane, system.first + other, system.kind + other);
        workgroupBarrier();
        let live = min(LANES, system.atoms - first);
        for (var k = lane % SPLIT; k < live; k += SPLIT) {
            feel(k, first + k == own, (bits & 1u) != 0u);
            bits = bits >> 1u;
        }
    }
    finish(lane, lane % SPLIT == 0u && atom < system.atoms, system.first + own, system.kind + own);
}
