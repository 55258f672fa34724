// Energies of a system by term: one group a system, in fixed order, with what rounding takes off.

@group(0) @binding(8) var<storage, read> energies: array<vec4<f32>>;
// For each system eight terms, as sums, then what is left of each.
@group(0) @binding(9) var<storage, read_write> totals: array<vec4<f32>>;

var<workgroup> heads: array<vec4<f32>, LANES>;
var<workgroup> tails: array<vec4<f32>, LANES>;

struct Sum { head: vec4<f32>, tail: vec4<f32> }

// Sum and rest of a + b (Knuth). The sign of zero is taken from memory, so that no compiler takes
// the rest for zero.
fn added(a: Sum, b: Sum) -> Sum {
    let head = kept(a.head + b.head);
    let part = kept(head - a.head);
    let rest = (a.head - kept(head - part)) + (b.head - part);
    return Sum(head, rest + (a.tail + b.tail));
}

fn kept(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) ^ vec4<u32>(zero));
}

var<private> zero: u32;

fn total(lane: u32, system: System, half: u32) -> Sum {
    var sum = Sum(vec4<f32>(), vec4<f32>());
    for (var atom = lane; atom < system.atoms; atom += LANES) {
        sum = added(sum, Sum(energies[2u * (system.first + atom) + half], vec4<f32>()));
    }
    workgroupBarrier();
    heads[lane] = sum.head;
    tails[lane] = sum.tail;
    workgroupBarrier();
    for (var width = LANES / 2u; width > 0u; width = width / 2u) {
        if (lane < width) {
            let other = lane + width;
            let both = added(Sum(heads[lane], tails[lane]), Sum(heads[other], tails[other]));
            heads[lane] = both.head;
            tails[lane] = both.tail;
        }
        workgroupBarrier();
    }
    return Sum(heads[0], tails[0]);
}

@compute @workgroup_size(LANES)
fn add_up(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = place(group, groups);
    if (index >= sizes.systems || running[index] == 0u) { return; }
    zero = running[index] >> 31u;
    let bonded = total(lane, systems[index], 0u);
    let pairs = total(lane, systems[index], 1u);
    if (lane == 0u) {
        totals[4u * index] = bonded.head;
        totals[4u * index + 1u] = pairs.head;
        totals[4u * index + 2u] = bonded.tail;
        totals[4u * index + 3u] = pairs.tail;
    }
}
