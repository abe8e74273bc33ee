#include "go_asm.h"
#include "textflag.h"

// The layout is that of matmul_avx2_amd64.s. 16 rows × 8 tokens, that is two tiles, are computed at a time: Z0–Z7 are the
// weights of one block by groups of 4 inputs, Z8–Z15 the sums of the 8 tokens over one block, Z16–Z23 the outputs. An odd
// last tile is computed alone, each token's sum in two registers, since the multiplications of one register wait for
// each other.
//
//	AX args    SI record    DI, R13 activations of the tiles   R9, R14 their scales   R10 from scales to offsets
//	BX bias    CX blocks    R12 tiles                          DX outputs             R11 their stride

DATA nibbles<>+0(SB)/4, $0x0f0f0f0f
GLOBL nibbles<>(SB), RODATA|NOPTR, $4

// UNPACK loads a chunk: the low halves into low, the high halves into high.
#define UNPACK(at, low, high) \
	VMOVDQU32 at(SI), high;         \
	VPANDD    Z25, high, low;   \
	VPSRLD    $4, high, high;  \
	VPANDD    Z25, high, high

#define UNPACKALL \
	UNPACK(0, Z0, Z4);   \
	UNPACK(64, Z1, Z5);  \
	UNPACK(128, Z2, Z6); \
	UNPACK(192, Z3, Z7); \
	VMOVUPS 256(SI), Z24

// GROUP8 adds one group of 4 inputs to the sums of 8 tokens.
#define GROUP8(at, w) \
	VPDPBUSD.BCST at(DI), w, Z8;      \
	VPDPBUSD.BCST at+32(DI), w, Z9;   \
	VPDPBUSD.BCST at+64(DI), w, Z10;  \
	VPDPBUSD.BCST at+96(DI), w, Z11;  \
	VPDPBUSD.BCST at(R13), w, Z12;    \
	VPDPBUSD.BCST at+32(R13), w, Z13; \
	VPDPBUSD.BCST at+64(R13), w, Z14; \
	VPDPBUSD.BCST at+96(R13), w, Z15

// GROUP4 adds two groups to the sums of 4 tokens, each to a register of its own.
#define GROUP4(at, w, at2, w2) \
	VPDPBUSD.BCST at(DI), w, Z8;       \
	VPDPBUSD.BCST at+32(DI), w, Z9;    \
	VPDPBUSD.BCST at+64(DI), w, Z10;   \
	VPDPBUSD.BCST at+96(DI), w, Z11;   \
	VPDPBUSD.BCST at2(DI), w2, Z12;    \
	VPDPBUSD.BCST at2+32(DI), w2, Z13; \
	VPDPBUSD.BCST at2+64(DI), w2, Z14; \
	VPDPBUSD.BCST at2+96(DI), w2, Z15

// SCALE adds the block to the outputs of one token: acc += scale of the token · scales of the rows · sum.
#define SCALE(at, scales, sum, acc) \
	VCVTDQ2PS        sum, sum;             \
	VMULPS           Z24, sum, sum;        \
	VFMADD231PS.BCST at(scales), sum, acc

// func panelVNNI(args *panelArgs)
TEXT ·panelVNNI(SB), NOSPLIT, $0-8
	MOVQ         args+0(FP), AX
	VPBROADCASTD nibbles<>(SB), Z25
	MOVQ         panelArgs_bias(AX), BX
	MOVQ         panelArgs_q(AX), DI
	MOVQ         panelArgs_scale(AX), R9
	MOVQ         panelArgs_offset(AX), R10
	SUBQ         R9, R10
	MOVQ         panelArgs_out(AX), DX
	MOVQ         panelArgs_stride(AX), R11
	MOVQ         panelArgs_tiles(AX), R12
	SUBQ         $2, R12
	JLT          single

pair:
	MOVQ    panelArgs_weights(AX), SI
	MOVQ    panelArgs_blocks(AX), CX
	MOVQ    CX, R13
	SHLQ    $7, R13
	ADDQ    DI, R13
	MOVQ    CX, R14
	SHLQ    $4, R14
	ADDQ    R9, R14
	VMOVUPS (BX), Z16
	VMOVAPS Z16, Z17
	VMOVAPS Z16, Z18
	VMOVAPS Z16, Z19
	VMOVAPS Z16, Z20
	VMOVAPS Z16, Z21
	VMOVAPS Z16, Z22
	VMOVAPS Z16, Z23

block8:
	UNPACKALL
	VPBROADCASTD (R9)(R10*1), Z8
	VPBROADCASTD 4(R9)(R10*1), Z9
	VPBROADCASTD 8(R9)(R10*1), Z10
	VPBROADCASTD 12(R9)(R10*1), Z11
	VPBROADCASTD (R14)(R10*1), Z12
	VPBROADCASTD 4(R14)(R10*1), Z13
	VPBROADCASTD 8(R14)(R10*1), Z14
	VPBROADCASTD 12(R14)(R10*1), Z15
	GROUP8(0, Z0)
	GROUP8(16, Z4)
	GROUP8(4, Z1)
	GROUP8(20, Z5)
	GROUP8(8, Z2)
	GROUP8(24, Z6)
	GROUP8(12, Z3)
	GROUP8(28, Z7)
	SCALE(0, R9, Z8, Z16)
	SCALE(4, R9, Z9, Z17)
	SCALE(8, R9, Z10, Z18)
	SCALE(12, R9, Z11, Z19)
	SCALE(0, R14, Z12, Z20)
	SCALE(4, R14, Z13, Z21)
	SCALE(8, R14, Z14, Z22)
	SCALE(12, R14, Z15, Z23)
	ADDQ $320, SI
	ADDQ $128, DI
	ADDQ $128, R13
	ADDQ $16, R9
	ADDQ $16, R14
	DECQ CX
	JNZ  block8

	VMOVUPS Z16, (DX)
	VMOVUPS Z17, (DX)(R11*1)
	LEAQ    (DX)(R11*2), DX
	VMOVUPS Z18, (DX)
	VMOVUPS Z19, (DX)(R11*1)
	LEAQ    (DX)(R11*2), DX
	VMOVUPS Z20, (DX)
	VMOVUPS Z21, (DX)(R11*1)
	LEAQ    (DX)(R11*2), DX
	VMOVUPS Z22, (DX)
	VMOVUPS Z23, (DX)(R11*1)
	LEAQ    (DX)(R11*2), DX
	MOVQ    R13, DI
	MOVQ    R14, R9
	SUBQ    $2, R12
	JGE     pair

single: // R12 is −1 where a tile is left, −2 where none is
	CMPQ R12, $-2
	JEQ  done
	MOVQ    panelArgs_weights(AX), SI
	MOVQ    panelArgs_blocks(AX), CX
	VMOVUPS (BX), Z16
	VMOVAPS Z16, Z17
	VMOVAPS Z16, Z18
	VMOVAPS Z16, Z19

block4:
	UNPACKALL
	VPBROADCASTD (R9)(R10*1), Z8
	VPBROADCASTD 4(R9)(R10*1), Z9
	VPBROADCASTD 8(R9)(R10*1), Z10
	VPBROADCASTD 12(R9)(R10*1), Z11
	VPXORD       Z12, Z12, Z12
	VPXORD       Z13, Z13, Z13
	VPXORD       Z14, Z14, Z14
	VPXORD       Z15, Z15, Z15
	GROUP4(0, Z0, 16, Z4)
	GROUP4(4, Z1, 20, Z5)
	GROUP4(8, Z2, 24, Z6)
	GROUP4(12, Z3, 28, Z7)
	VPADDD       Z12, Z8, Z8
	VPADDD       Z13, Z9, Z9
	VPADDD       Z14, Z10, Z10
	VPADDD       Z15, Z11, Z11
	SCALE(0, R9, Z8, Z16)
	SCALE(4, R9, Z9, Z17)
	SCALE(8, R9, Z10, Z18)
	SCALE(12, R9, Z11, Z19)
	ADDQ         $320, SI
	ADDQ         $128, DI
	ADDQ         $16, R9
	DECQ         CX
	JNZ          block4

	VMOVUPS Z16, (DX)
	VMOVUPS Z17, (DX)(R11*1)
	LEAQ    (DX)(R11*2), DX
	VMOVUPS Z18, (DX)
	VMOVUPS Z19, (DX)(R11*1)

done:
	VZEROUPPER
	RET
