#include "go_asm.h"
#include "textflag.h"

// STEP adds one value of a row of a times 16 values of a row of b.
#define STEP(at, tmp, low, high) \
	VBROADCASTSS at, tmp;        \
	VFMADD231PS  Y8, tmp, low;  \
	VFMADD231PS  Y9, tmp, high

// func multiply4x16(p *product)
//
// 4 rows × 16 columns of c are computed at a time, in Y0–Y7.
TEXT ·multiply4x16(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	MOVQ product_c(AX), DX
	MOVQ product_strideC(AX), R11
	SHLQ $2, R11
	LEAQ (R11)(R11*2), R12
	MOVQ product_strideA(AX), R9
	SHLQ $2, R9
	LEAQ (R9)(R9*2), R10
	MOVQ product_strideB(AX), R8
	SHLQ $2, R8
	MOVQ product_columns(AX), BX
	XORQ R13, R13 // bytes from the first column to the current ones

columns:
	MOVQ   product_a(AX), SI
	MOVQ   product_b(AX), DI
	ADDQ   R13, DI
	MOVQ   product_depth(AX), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

depth:
	VMOVUPS (DI), Y8
	VMOVUPS 32(DI), Y9
	STEP((SI), Y10, Y0, Y1)
	STEP((SI)(R9*1), Y11, Y2, Y3)
	STEP((SI)(R9*2), Y12, Y4, Y5)
	STEP((SI)(R10*1), Y13, Y6, Y7)
	ADDQ    $4, SI
	ADDQ    R8, DI
	DECQ    CX
	JNZ     depth

	LEAQ    (DX)(R13*1), CX
	VMOVUPS Y0, (CX)
	VMOVUPS Y1, 32(CX)
	VMOVUPS Y2, (CX)(R11*1)
	VMOVUPS Y3, 32(CX)(R11*1)
	VMOVUPS Y4, (CX)(R11*2)
	VMOVUPS Y5, 32(CX)(R11*2)
	VMOVUPS Y6, (CX)(R12*1)
	VMOVUPS Y7, 32(CX)(R12*1)
	ADDQ    $64, R13
	SUBQ    $16, BX
	JNZ     columns
	VZEROUPPER
	RET
