// Intel ISA-L: inflate and checksums.
#pragma once
#include <isa-l.h>
