#include "libs/once/once.h"
