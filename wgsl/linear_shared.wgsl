// linear by tiles in workgroup memory, for GPUs: formula, shapes, order of accumulation in
// lib/linear, layout in lib/shared.
//#include grid
//#header weight
//#include linear
//#include shared_rows
//#include outer
//#include shared
