/* Included by the C API's headers in the AAR, which do not ship it. Nothing in it is used here. */
