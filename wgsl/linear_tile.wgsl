// linear, the portable variant: formula, shapes, order of accumulation in lib/linear, layout in lib/tile.
//#include grid
//#header weight
//#include linear
//#include products
//#include tile
