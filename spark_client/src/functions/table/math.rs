//! Numbers.

use super::random_seed;

functions! {
    "1.3.0" "The number without its sign."
    abs(column: col);
    "1.4.0" "The arc cosine, in radians."
    acos(column: col);
    "3.1.0" "The inverse hyperbolic cosine."
    acosh(column: col);
    "1.4.0" "The arc sine, in radians."
    asin(column: col);
    "3.1.0" "The inverse hyperbolic sine."
    asinh(column: col);
    "1.4.0" "The arc tangent, in radians."
    atan(column: col);
    "1.4.0" "The angle in radians of the point whose y is the first number and whose x is the second."
    atan2(y: num, x: num);
    "3.1.0" "The inverse hyperbolic tangent."
    atanh(column: col);
    "1.5.0" "A whole number as text of binary digits."
    bin(column: col);
    "2.0.0" "Rounded half to even, to whole numbers or to this many decimal places."
    bround(column: col), bround_with(scale: int);
    "1.4.0" "The cube root."
    cbrt(column: col);
    "1.4.0" "The smallest number not below, whole or with this many decimal places."
    ceil(column: col), ceil_with(scale: int);
    "1.4.0" "The smallest number not below, whole or with this many decimal places."
    ceiling(column: col), ceiling_with(scale: int);
    "1.5.0" "The digits of a number in another base."
    conv(column: col, from_base: int, to_base: int);
    "1.4.0" "The cosine of an angle in radians."
    cos(column: col);
    "1.4.0" "The hyperbolic cosine."
    cosh(column: col);
    "3.3.0" "The cotangent of an angle in radians."
    cot(column: col);
    "3.3.0" "The cosecant of an angle in radians."
    csc(column: col);
    "2.1.0" "An angle in radians as degrees."
    degrees(column: col);
    "3.5.0" "Euler's number."
    e();
    "1.4.0" "Euler's number to a power."
    exp(column: col);
    "1.4.0" "Euler's number to a power, less one."
    expm1(column: col);
    "1.5.0" "The factorial of a whole number from 0 to 20, else NULL."
    factorial(column: col);
    "1.4.0" "The largest number not above, whole or with this many decimal places."
    floor(column: col), floor_with(scale: int);
    "1.5.0" "A number, text or bytes as hexadecimal digits."
    hex(column: col);
    "1.4.0" "The length of the hypotenuse over two sides, without overflow on the way."
    hypot(left: num, right: num);
    "3.5.0" "The natural logarithm."
    ln(column: col);
    "1.5.0" "The natural logarithm."
    log as "ln"(column: col);
    "1.5.0" "The logarithm to a base."
    log_base as "log"(base: float, column: col);
    "1.4.0" "The logarithm to base 10."
    log10(column: col);
    "1.4.0" "The natural logarithm of the number plus one."
    log1p(column: col);
    "1.5.0" "The logarithm to base 2."
    log2(column: col);
    "3.5.0" "The number with the opposite sign."
    negate as "negative"(column: col);
    "3.5.0" "The number with the opposite sign."
    negative(column: col);
    "3.5.0" "The ratio of a circle's circumference to its diameter."
    pi();
    "3.4.0" "The remainder of a division that is never negative for a positive divisor."
    pmod(dividend: num, divisor: num);
    "3.5.0" "The number as it is."
    positive(column: col);
    "1.4.0" "A number to a power."
    pow as "power"(base: num, exponent: num);
    "1.4.0" "A number to a power."
    power(base: num, exponent: num);
    "2.1.0" "An angle in degrees as radians."
    radians(column: col);
    "1.4.0" "A random number from 0 (included) to 1 for each row."
    rand(), rand_with(seed: int = random_seed());
    "3.5.0" "A random number from 0 (included) to 1 for each row."
    random as "rand"(), random_with(seed: int = random_seed());
    "1.4.0" "A random number of the standard normal distribution for each row."
    randn(), randn_with(seed: int = random_seed());
    "1.4.0" "The nearest whole number, as a floating point number."
    rint(column: col);
    "1.5.0" "Rounded half up, to whole numbers or to this many decimal places."
    round(column: col), round_with(scale: int);
    "3.3.0" "The secant of an angle in radians."
    sec(column: col);
    "1.4.0" "-1, 0 or 1, by the sign of the number."
    sign(column: col);
    "1.4.0" "-1, 0 or 1, by the sign of the number."
    signum(column: col);
    "1.4.0" "The sine of an angle in radians."
    sin(column: col);
    "1.4.0" "The hyperbolic sine."
    sinh(column: col);
    "1.3.0" "The square root."
    sqrt(column: col);
    "1.4.0" "The tangent of an angle in radians."
    tan(column: col);
    "1.4.0" "The hyperbolic tangent."
    tanh(column: col);
    "3.5.0" "The sum, or NULL where it overflows."
    try_add(left: col, right: col);
    "3.5.0" "The quotient, or NULL for a divisor of zero."
    try_divide(left: col, right: col);
    "4.0.0" "The remainder, or NULL for a divisor of zero."
    try_mod(left: col, right: col);
    "3.5.0" "The product, or NULL where it overflows."
    try_multiply(left: col, right: col);
    "3.5.0" "The difference, or NULL where it overflows."
    try_subtract(left: col, right: col);
    "1.5.0" "Bytes from hexadecimal digits."
    unhex(column: col);
    "4.0.0" "A random number between two constants for each row, of their type."
    uniform(min: int, max: int), uniform_with(seed: int = random_seed());
    "3.5.0" "The number, from 1, of the equal bucket between two bounds that a value falls into; 0 below and one more than the last above."
    width_bucket(value: col, min: col, max: col, buckets: num);
    "3.5.0" "The number of bits that are set."
    bit_count(column: col);
    "3.5.0" "The bit at a position counted from the right, from 0."
    bit_get(column: col, position: col);
    "3.2.0" "The number with all its bits turned over."
    bitwise_not as "~"(column: col);
    "3.5.0" "The bit at a position counted from the right, from 0."
    getbit(column: col, position: col);
    "3.2.0" "The number with its bits moved left."
    shiftleft(column: col, bits: int);
    "3.2.0" "The number with its bits moved right, the sign kept."
    shiftright(column: col, bits: int);
    "3.2.0" "The number with its bits moved right, filled with zeros."
    shiftrightunsigned(column: col, bits: int);
}
