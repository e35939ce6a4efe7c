// Intel ISA-L: deflate, inflate and checksums.
#pragma once
#include <isa-l.h>
