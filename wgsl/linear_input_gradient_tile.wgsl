// The input's gradient of a linear layer, the portable variant: formula, shapes, order of accumulation in
// lib/linear_input_gradient, layout in lib/tile.
//#include grid
//#header weight
//#include linear_input_gradient
//#include products
//#include tile
