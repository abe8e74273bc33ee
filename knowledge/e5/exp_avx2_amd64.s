#include "textflag.h"

// The kernels that need exp, 8 values at a time with AVX2 and FMA. Each constant is four bytes, broadcast where it is used.

DATA absMask<>+0(SB)/4, $0x7fffffff
GLOBL absMask<>(SB), RODATA|NOPTR, $4
DATA one<>+0(SB)/4, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $4

// exp(x) = 2ⁿ·exp(r), n = round(x/ln 2), r = x − n·ln 2, |r| ≤ ln 2/2. ln 2 is split so that n·ln2high is exact. exp(r) is its
// Taylor polynomial of degree 6, relative error at most (ln 2/2)⁷/7! = 1.2·10⁻⁷. x is cut at −87, where 2ⁿ still is a normal
// number and the result as good as 0.
DATA expLeast<>+0(SB)/4, $-87.0
GLOBL expLeast<>(SB), RODATA|NOPTR, $4
DATA log2e<>+0(SB)/4, $1.44269504088896341
GLOBL log2e<>(SB), RODATA|NOPTR, $4
DATA ln2high<>+0(SB)/4, $0.693359375
GLOBL ln2high<>(SB), RODATA|NOPTR, $4
DATA ln2low<>+0(SB)/4, $-2.12194440054690583e-4
GLOBL ln2low<>(SB), RODATA|NOPTR, $4
DATA half<>+0(SB)/4, $0.5
GLOBL half<>(SB), RODATA|NOPTR, $4
DATA exp3<>+0(SB)/4, $0.166666666666666667
GLOBL exp3<>(SB), RODATA|NOPTR, $4
DATA exp4<>+0(SB)/4, $0.0416666666666666667
GLOBL exp4<>(SB), RODATA|NOPTR, $4
DATA exp5<>+0(SB)/4, $0.00833333333333333333
GLOBL exp5<>(SB), RODATA|NOPTR, $4
DATA exp6<>+0(SB)/4, $0.00138888888888888889
GLOBL exp6<>(SB), RODATA|NOPTR, $4

// EXPCONSTANTS loads what EXP needs: Y8 log₂e, Y9, Y10 ln 2, Y11–Y14 the coefficients 6 to 3, Y15 1. EXP keeps them.
#define EXPCONSTANTS \
	VBROADCASTSS log2e<>(SB), Y8;    \
	VBROADCASTSS ln2high<>(SB), Y9;  \
	VBROADCASTSS ln2low<>(SB), Y10;  \
	VBROADCASTSS exp6<>(SB), Y11;    \
	VBROADCASTSS exp5<>(SB), Y12;    \
	VBROADCASTSS exp4<>(SB), Y13;    \
	VBROADCASTSS exp3<>(SB), Y14;    \
	VBROADCASTSS one<>(SB), Y15

// EXP replaces x, which is at least −87 and at most 88, by exp(x). halves is a register that holds 0.5. It spoils n and p.
#define EXP(x, n, p, halves) \
	VMULPS       Y8, x, n;         \
	VROUNDPS     $0, n, n;         \
	VFNMADD231PS Y9, n, x;         \
	VFNMADD231PS Y10, n, x;        \
	VCVTPS2DQ    n, n;             \
	VPSLLD       $23, n, n;        \
	VMOVAPS      Y11, p;           \
	VFMADD213PS  Y12, x, p;        \
	VFMADD213PS  Y13, x, p;        \
	VFMADD213PS  Y14, x, p;        \
	VFMADD213PS  halves, x, p;    \
	VFMADD213PS  Y15, x, p;        \
	VFMADD213PS  Y15, x, p;        \
	VPADDD       n, p, x

// func softmax8(row *float32, n int, scale float32) float32
TEXT ·softmax8(SB), NOSPLIT, $0-28
	MOVQ    row+0(FP), SI
	MOVQ    n+8(FP), CX
	MOVQ    SI, DI
	MOVQ    CX, DX
	VMOVUPS (SI), Y0

largest:
	VMAXPS (DI), Y0, Y0
	ADDQ   $32, DI
	SUBQ   $8, DX
	JNZ    largest

	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VBROADCASTSS X0, Y0
	VBROADCASTSS scale+16(FP), Y1
	VBROADCASTSS expLeast<>(SB), Y2
	VBROADCASTSS half<>(SB), Y3
	VXORPS       Y4, Y4, Y4 // the sum
	EXPCONSTANTS

each:
	VMOVUPS (SI), Y5
	VSUBPS  Y0, Y5, Y5
	VMULPS  Y1, Y5, Y5
	VMAXPS  Y2, Y5, Y5
	EXP(Y5, Y6, Y7, Y3)
	VMOVUPS Y5, (SI)
	VADDPS  Y5, Y4, Y4
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     each

	VEXTRACTF128 $1, Y4, X5
	VADDPS       X5, X4, X4
	VPERMILPS    $0x4e, X4, X5
	VADDPS       X5, X4, X4
	VPERMILPS    $0xb1, X4, X5
	VADDPS       X5, X4, X4
	VMOVSS       X4, ret+24(FP)
	VZEROUPPER
	RET

// erf(z) = 1 − (a1·t + a2·t² + a3·t³ + a4·t⁴ + a5·t⁵)·exp(−z²) for z ≥ 0, t = 1/(1+p·z), error at most 1.5·10⁻⁷: Abramowitz and
// Stegun, Handbook of Mathematical Functions, 7.1.26. z is |x|/√2, so p is divided by √2.
DATA erfP<>+0(SB)/4, $0.231641888
GLOBL erfP<>(SB), RODATA|NOPTR, $4
DATA erf1<>+0(SB)/4, $0.254829592
GLOBL erf1<>(SB), RODATA|NOPTR, $4
DATA erf2<>+0(SB)/4, $-0.284496736
GLOBL erf2<>(SB), RODATA|NOPTR, $4
DATA erf3<>+0(SB)/4, $1.421413741
GLOBL erf3<>(SB), RODATA|NOPTR, $4
DATA erf4<>+0(SB)/4, $-1.453152027
GLOBL erf4<>(SB), RODATA|NOPTR, $4
DATA erf5<>+0(SB)/4, $1.061405429
GLOBL erf5<>(SB), RODATA|NOPTR, $4

// ERFSTEP is one step of the polynomial: y = y·t + a.
#define ERFSTEP(a, tmp, t, y) \
	VBROADCASTSS a<>(SB), tmp; \
	VFMADD213PS  tmp, t, y

// func gelu8(x *float32, eights int)
//
// x·Φ(x) = max(x, 0) − |x|/2·(1 − erf(|x|/√2)): without the difference of two nearly equal numbers for negative x.
TEXT ·gelu8(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), SI
	MOVQ         eights+8(FP), CX
	VBROADCASTSS half<>(SB), Y7
	EXPCONSTANTS

next:
	VMOVUPS      (SI), Y0
	VBROADCASTSS absMask<>(SB), Y1
	VANDPS       Y0, Y1, Y1        // |x|
	VXORPS       Y2, Y2, Y2
	VMAXPS       Y2, Y0, Y0        // max(x, 0)
	VBROADCASTSS erfP<>(SB), Y2
	VFMADD213PS  Y15, Y1, Y2
	VDIVPS       Y2, Y15, Y2       // t
	VBROADCASTSS erf5<>(SB), Y3
	ERFSTEP(erf4, Y4, Y2, Y3)
	ERFSTEP(erf3, Y4, Y2, Y3)
	ERFSTEP(erf2, Y4, Y2, Y3)
	ERFSTEP(erf1, Y4, Y2, Y3)
	VMULPS       Y2, Y3, Y3        // the polynomial
	VMULPS       Y7, Y1, Y4
	VMULPS       Y4, Y3, Y3        // · |x|/2
	VXORPS       Y2, Y2, Y2
	VFNMADD231PS Y4, Y1, Y2        // −x²/2
	VBROADCASTSS expLeast<>(SB), Y4
	VMAXPS       Y4, Y2, Y2
	EXP(Y2, Y4, Y5, Y7)
	VFNMADD231PS Y2, Y3, Y0
	VMOVUPS      Y0, (SI)
	ADDQ         $32, SI
	DECQ         CX
	JNZ          next
	VZEROUPPER
	RET
