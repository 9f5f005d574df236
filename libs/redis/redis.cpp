#include "libs/redis/redis.h"
