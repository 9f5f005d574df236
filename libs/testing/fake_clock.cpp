#include "libs/os/clock.h"
