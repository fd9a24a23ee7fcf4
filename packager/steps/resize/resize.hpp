#ifndef PACKAGER_CONTRACT_RESIZE_HPP
#define PACKAGER_CONTRACT_RESIZE_HPP

#include "resize_opencv.hpp"
#include "resize_pillow.hpp"
#include "resize_tensorflow.hpp"

#endif
