#include "libs/pg/pg.h"
