/* Writes akle.tng from positions.txt (Å) and names.txt (residue number, residue, atom, element),
   which make.py writes, 50 ps a frame, by the TNG library:
   cc -I tng/include make_tng.c libtng_io.a -lz -lm && ./a.out names.txt positions.txt akle.tng */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tng/tng_io.h"

int main(int argc, char **argv) {
    tng_trajectory_t tng;
    tng_molecule_t molecule;
    tng_chain_t chain;
    tng_residue_t residue = NULL;
    tng_atom_t atom;
    char name[16], residue_name[16], element[16];
    int number, last = -1, count = 0;
    FILE *names = fopen(argv[1], "r"), *positions = fopen(argv[2], "r");
    if (argc != 4 || !names || !positions) return 2;
    tng_trajectory_init(&tng);
    tng_output_file_set(tng, argv[3]);
    tng_distance_unit_exponential_set(tng, -9);
    tng_molecule_add(tng, "akle", &molecule);
    tng_molecule_chain_add(tng, molecule, "A", &chain);
    while (fscanf(names, "%d %15s %15s %15s", &number, residue_name, name, element) == 4) {
        if (number != last) tng_chain_residue_add(tng, chain, residue_name, &residue);
        last = number;
        tng_residue_atom_add(tng, residue, name, element, &atom);
        count++;
    }
    tng_molecule_cnt_set(tng, molecule, 1);
    tng_medium_stride_length_set(tng, 1);
    tng_num_frames_per_frame_set_set(tng, 5);
    tng_time_per_frame_set(tng, 50e-12);
    tng_file_headers_write(tng, TNG_USE_HASH);
    tng_util_pos_write_interval_set(tng, 1);
    tng_util_box_shape_write_interval_set(tng, 1);
    float box[9] = {4.0f, 0, 0, 0, 4.2f, 0, 0, 0, 4.5f};
    float *x = malloc(3 * count * sizeof(float));
    for (int frame = 0; frame < 5; frame++) {
        for (int i = 0; i < 3 * count; i++) {
            if (fscanf(positions, "%f", &x[i]) != 1) return 3;
            x[i] *= 0.1f;
        }
        double time = (1 + 50 * frame) * 1e-12;
        tng_util_box_shape_with_time_write(tng, frame, time, box);
        tng_util_pos_with_time_write(tng, frame, time, x);
    }
    return tng_util_trajectory_close(&tng) != TNG_SUCCESS;
}
