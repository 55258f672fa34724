struct Sizes {
    // groups of atoms, systems
    groups: u32, systems: u32,
    // of a cutoff: its square, Å²; 1/(its square − that of the switch's start), 1/Å²
    end: f32, steepness: f32,
}

