/* Included by the C API's headers in the AAR, which do not ship it. Opaque types are enough here. */
typedef struct TfLiteRegistrationExternal TfLiteRegistrationExternal;
