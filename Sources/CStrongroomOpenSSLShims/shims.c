// The shims are static inline functions of the header; a C target needs one source file.
#include "CStrongroomOpenSSLShims.h"
