// Before every shader of the force field: the systems, of which a dispatch holds many. Arrays by
// atom have a row for every atom of every system; arrays by kind have one for every atom of every
// molecule, which the systems of that molecule share. See src/forcefield/gpu/layout.rs.

struct System {
    // first row by atom, number of atoms, first row by kind, first group, first group by kind
    first: u32, atoms: u32, kind: u32, group: u32, kind_group: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> systems: array<System>;
// System of each group of atoms.
@group(0) @binding(4) var<storage, read> group_systems: array<u32>;
// Whether a system is to be computed.
@group(0) @binding(5) var<storage, read> running: array<u32>;
// Place of each atom from the middle of its system, Å: the nearest f32, and what is left.
@group(0) @binding(6) var<storage, read> places: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> rests: array<vec4<f32>>;

var<workgroup> quarters: array<vec4<f32>, LANES>;

// Sum over the SPLIT lanes of an atom, in their order; all lanes must call it.
fn sum_of_split(lane: u32, value: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    quarters[lane] = value;
    workgroupBarrier();
    let first = lane - lane % SPLIT;
    var sum = quarters[first];
    for (var other = 1u; other < SPLIT; other += 1u) {
        sum += quarters[first + other];
    }
    return sum;
}

fn squared(a: vec3<f32>) -> f32 { return dot(a, a); }
