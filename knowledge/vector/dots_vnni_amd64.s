#include "go_asm.h"
#include "textflag.h"

DATA flip<>+0(SB)/4, $0x80808080
GLOBL flip<>(SB), RODATA|NOPTR, $4

// ROW adds 64 products of a row and the query's codes in Z4. The instruction wants
// one factor without a sign: the row's codes plus 128.
#define ROW(row, tmp, sum) \
	VPXORD   (row)(BX*1), Z16, tmp; \
	VPDPBUSD Z4, tmp, sum

// HALVE adds the upper half of a register to the lower one.
#define HALVE(z, y, tmp) \
	VEXTRACTI64X4 $1, z, tmp; \
	VPADDD        tmp, y, y

// func dots4VNNI(args *dotsArgs)
//
//	SI query   R10–R13 four rows   R8 their length   BX codes done   DX out   CX quads
//	Z0–Z3 sums of the rows         Z17 what the 128s add, negative
TEXT ·dots4VNNI(SB), NOSPLIT, $0-8
	MOVQ         args+0(FP), AX
	MOVQ         dotsArgs_query(AX), SI
	MOVQ         dotsArgs_rows(AX), R10
	MOVQ         dotsArgs_out(AX), DX
	MOVQ         dotsArgs_stride(AX), R8
	MOVQ         dotsArgs_quads(AX), CX
	VPBROADCASTD flip<>(SB), Z16
	VPXORD       Z17, Z17, Z17
	VPXORD       Z18, Z18, Z18
	XORQ         BX, BX

correction:
	VMOVDQU64 (SI)(BX*1), Z4
	VPDPBUSD  Z4, Z16, Z17
	ADDQ      $64, BX
	CMPQ      BX, R8
	JLT       correction
	VPSUBD    Z17, Z18, Z17

quad:
	LEAQ      (R10)(R8*1), R11
	LEAQ      (R11)(R8*1), R12
	LEAQ      (R12)(R8*1), R13
	VMOVDQA64 Z17, Z0
	VMOVDQA64 Z17, Z1
	VMOVDQA64 Z17, Z2
	VMOVDQA64 Z17, Z3
	XORQ      BX, BX

step:
	VMOVDQU64 (SI)(BX*1), Z4
	ROW(R10, Z5, Z0)
	ROW(R11, Z6, Z1)
	ROW(R12, Z7, Z2)
	ROW(R13, Z8, Z3)
	ADDQ      $64, BX
	CMPQ      BX, R8
	JLT       step

	HALVE(Z0, Y0, Y5)
	HALVE(Z1, Y1, Y6)
	HALVE(Z2, Y2, Y7)
	HALVE(Z3, Y3, Y8)
	VPHADDD      Y1, Y0, Y0
	VPHADDD      Y3, Y2, Y2
	VPHADDD      Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VMOVDQU      X0, (DX)
	ADDQ         $16, DX
	LEAQ         (R13)(R8*1), R10
	DECQ         CX
	JNZ          quad
	VZEROUPPER
	RET
