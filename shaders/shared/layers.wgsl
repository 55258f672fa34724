// The two layers of a message (shaders/message.wgsl), four edges at a time.

// Four edges of a lane, of which it has every ROWS-th: what is read of the parameters serves all of
// them. Past the last edge it is the last one again, for nobody to use.
fn four(slot: u32, live: u32) -> vec4<u32> {
    return min(slot + ROWS * vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(live - 1u));
}

// What the first silu is applied to.
fn first_layer(slots: vec4<u32>, c: u32) -> vec4<f32> {
    var z: vec4<f32>;
    for (var j = 0u; j < 4u; j += 1u) {
        let slot = slots[j];
        var own = a[receiver_of[slot] * CHANNELS + c] + b[sender[slot] * CHANNELS + c]
            + relation[relation_class[slot] * CHANNELS + c];
        for (var k = 0u; k < 4u; k += 1u) {
            own += near[slot][k] * radial[spline_row(near_first[slot], k) * CHANNELS + c];
            own += far[slot][k] * radial_condition[spline_row(far_first[slot], k) * CHANNELS + c];
        }
        z[j] = own;
    }
    let at = slots * DENSE;
    for (var k = 0u; k < DENSE; k += 1u) {
        let seen = vec4<f32>(
            features[at.x + k], features[at.y + k], features[at.z + k], features[at.w + k],
        );
        z += seen * dense[k * CHANNELS + c];
    }
    return z;
}

// What the second silu is applied to.
fn second_layer(slots: vec4<u32>, c: u32) -> vec4<f32> {
    var z = vec4<f32>(bias[c]);
    let at = slots * CHANNELS;
    for (var k = 0u; k < CHANNELS; k += 1u) {
        let hidden = vec4<f32>(h[at.x + k], h[at.y + k], h[at.z + k], h[at.w + k]);
        z += hidden * weight[k * CHANNELS + c];
    }
    return z;
}

// Gradient of what the second layer sees.
fn d_hidden(slots: vec4<u32>, c: u32) -> vec4<f32> {
    var d_h = vec4<f32>(0.0);
    let at = slots * CHANNELS;
    for (var k = 0u; k < CHANNELS; k += 1u) {
        let d = vec4<f32>(d_m[at.x + k], d_m[at.y + k], d_m[at.z + k], d_m[at.w + k]);
        d_h += d * weight[c * CHANNELS + k];
    }
    return d_h;
}
