// The long convolution with all five terms, by the double sum; see src/ops/geometric_conv.rs and
// shared/convolution.wgsl, which comes before; longer systems go through shared/transform.wgsl.

const SCALAR = true;
const VECTOR = true;
const TERM = 5u;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    double_sum(place(group, groups) * LANES + lane);
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    d_double_sum(place(group, groups) * LANES + lane);
}
