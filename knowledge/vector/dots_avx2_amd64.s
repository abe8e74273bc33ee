#include "go_asm.h"
#include "textflag.h"

// ROW adds 32 products of a row and the query's codes: Y4 has the codes, Y5 their
// absolute values, which take the row's codes with the sign of the query's. Two
// products are at most 2·127², which fits into 16 bits.
#define ROW(row, tmp, sum) \
	VMOVDQU    (row)(BX*1), tmp; \
	VPSIGNB    Y4, tmp, tmp;     \
	VPMADDUBSW tmp, Y5, tmp;     \
	VPMADDWD   Y15, tmp, tmp;    \
	VPADDD     tmp, sum, sum

// func dots4AVX2(args *dotsArgs)
//
//	SI query   R10–R13 four rows   R8 their length   BX codes done   DX out   CX quads
//	Y0–Y3 sums of the rows         Y15 ones in 16 bits
TEXT ·dots4AVX2(SB), NOSPLIT, $0-8
	MOVQ     args+0(FP), AX
	MOVQ     dotsArgs_query(AX), SI
	MOVQ     dotsArgs_rows(AX), R10
	MOVQ     dotsArgs_out(AX), DX
	MOVQ     dotsArgs_stride(AX), R8
	MOVQ     dotsArgs_quads(AX), CX
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $15, Y15, Y15

quad:
	LEAQ  (R10)(R8*1), R11
	LEAQ  (R11)(R8*1), R12
	LEAQ  (R12)(R8*1), R13
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	XORQ  BX, BX

step:
	VMOVDQU (SI)(BX*1), Y4
	VPABSB  Y4, Y5
	ROW(R10, Y6, Y0)
	ROW(R11, Y7, Y1)
	ROW(R12, Y8, Y2)
	ROW(R13, Y9, Y3)
	ADDQ    $32, BX
	CMPQ    BX, R8
	JLT     step

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

// func dot8AVX2(a, b *float32, eights int) float32
TEXT ·dot8AVX2(SB), NOSPLIT, $0-28
	MOVQ   a+0(FP), SI
	MOVQ   b+8(FP), DI
	MOVQ   eights+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $4, CX
	JLT    few

fours:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VFMADD231PS (DI), Y4, Y0
	VFMADD231PS 32(DI), Y5, Y1
	VFMADD231PS 64(DI), Y6, Y2
	VFMADD231PS 96(DI), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DI
	SUBQ        $4, CX
	JGE         fours

few: // CX is four less than the eights that are left
	ADDQ $4, CX
	JZ   sum

ones:
	VMOVUPS     (SI), Y4
	VFMADD231PS (DI), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DI
	DECQ        CX
	JNZ         ones

sum:
	VADDPS       Y1, Y0, Y0
	VADDPS       Y3, Y2, Y2
	VADDPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET
