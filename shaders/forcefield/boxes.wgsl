// Lowest and highest place of each group's atoms: one lane a group.

@group(0) @binding(8) var<storage, read_write> boxes: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn find(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = place(group, groups) * LANES + lane;
    if (number >= sizes.groups) { return; }
    let index = group_systems[number];
    if (running[index] == 0u) { return; }
    let system = systems[index];
    let first = (number - system.group) * ATOMS;
    var low = places[system.first + first];
    var high = low;
    for (var atom = first + 1u; atom < min(first + ATOMS, system.atoms); atom += 1u) {
        low = min(low, places[system.first + atom]);
        high = max(high, places[system.first + atom]);
    }
    boxes[2u * number] = low;
    boxes[2u * number + 1u] = high;
}
