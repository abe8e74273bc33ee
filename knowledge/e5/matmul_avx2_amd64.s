#include "go_asm.h"
#include "textflag.h"

// A record of a panel is 4 chunks of 64 bytes and 16 scales, 320 bytes. A block of a tile is 4 tokens of 32 activations, 128
// bytes; its 4 scales and its 4 offsets are 16 bytes each (quant.go).
//
// 8 rows × 4 tokens are computed at a time. Y0–Y3 are the 16-bit sums of the 4 tokens over one block, in pairs of inputs:
// 8 groups of at most 2·15·127 fit. Y4–Y7 are the outputs.
//
//	AX args    SI record    DI activations   R9 scales   R10 from scales to offsets   DX outputs   R11 their stride
//	BX bias    CX blocks    R12 tiles        R13, R14 DI and R9 at the start of the tile            R8 DX likewise

DATA nibbles<>+0(SB)/4, $0x0f0f0f0f
GLOBL nibbles<>(SB), RODATA|NOPTR, $4

DATA ones<>+0(SB)/4, $0x00010001
GLOBL ones<>(SB), RODATA|NOPTR, $4

// DOT adds one group of 4 inputs of one token to sum. w holds the weights of 8 rows.
#define DOT(at, w, tmp, sum) \
	VPBROADCASTD at(DI), tmp;   \
	VPMADDUBSW   tmp, w, tmp; \
	VPADDW       tmp, sum, sum

// DOT0 is DOT for the first group.
#define DOT0(at, w, tmp, sum) \
	VPBROADCASTD at(DI), tmp; \
	VPMADDUBSW   tmp, w, sum

// UNPACK loads a chunk: the low halves, group c, into Y8, the high halves, group c+4, into Y9.
#define UNPACK(at) \
	VMOVDQU at(SI), Y9;  \
	VPAND   Y13, Y9, Y8; \
	VPSRLW  $4, Y9, Y9;  \
	VPAND   Y13, Y9, Y9

// GROUP is DOT for the 4 tokens.
#define GROUP(at, w) \
	DOT(at, w, Y10, Y0);     \
	DOT(at+32, w, Y11, Y1);  \
	DOT(at+64, w, Y12, Y2);  \
	DOT(at+96, w, Y15, Y3)

// SCALE adds the block to the outputs of one token: acc += scale of the token · scales of the rows · (sum + offset).
#define SCALE(at, sum, tmp, acc) \
	VPMADDWD     Y14, sum, sum;         \
	VPBROADCASTD at(R9)(R10*1), tmp;    \
	VPADDD       tmp, sum, sum;         \
	VCVTDQ2PS    sum, sum;              \
	VMULPS       Y8, sum, sum;          \
	VBROADCASTSS at(R9), tmp;           \
	VFMADD231PS  tmp, sum, acc

// func panelAVX2(args *panelArgs)
TEXT ·panelAVX2(SB), NOSPLIT, $0-8
	MOVQ         args+0(FP), AX
	VPBROADCASTD nibbles<>(SB), Y13
	VPBROADCASTD ones<>(SB), Y14
	MOVQ         panelArgs_q(AX), R13
	MOVQ         panelArgs_scale(AX), R14
	MOVQ         panelArgs_offset(AX), R10
	SUBQ         R14, R10
	MOVQ         panelArgs_out(AX), R8
	MOVQ         panelArgs_stride(AX), R11
	MOVQ         panelArgs_tiles(AX), R12

tile:
	MOVQ panelArgs_weights(AX), SI
	MOVQ panelArgs_bias(AX), BX
	MOVQ R8, DX

rows: // 8 of the panel's 16
	MOVQ    R13, DI
	MOVQ    R14, R9
	MOVQ    panelArgs_blocks(AX), CX
	VMOVUPS (BX), Y4
	VMOVAPS Y4, Y5
	VMOVAPS Y4, Y6
	VMOVAPS Y4, Y7

block:
	UNPACK(0)
	DOT0(0, Y8, Y10, Y0)
	DOT0(32, Y8, Y11, Y1)
	DOT0(64, Y8, Y12, Y2)
	DOT0(96, Y8, Y15, Y3)
	GROUP(16, Y9)
	UNPACK(64)
	GROUP(4, Y8)
	GROUP(20, Y9)
	UNPACK(128)
	GROUP(8, Y8)
	GROUP(24, Y9)
	UNPACK(192)
	GROUP(12, Y8)
	GROUP(28, Y9)
	VMOVUPS 256(SI), Y8
	SCALE(0, Y0, Y10, Y4)
	SCALE(4, Y1, Y11, Y5)
	SCALE(8, Y2, Y12, Y6)
	SCALE(12, Y3, Y15, Y7)
	ADDQ    $320, SI
	ADDQ    $128, DI
	ADDQ    $16, R9
	DECQ    CX
	JNZ     block

	VMOVUPS Y4, (DX)
	VMOVUPS Y5, (DX)(R11*1)
	LEAQ    (DX)(R11*2), CX
	VMOVUPS Y6, (CX)
	VMOVUPS Y7, (CX)(R11*1)
	CMPQ    BX, panelArgs_bias(AX)
	JNE     next

	// The other 8 rows lie 32 bytes on in every chunk, in the scales, in the bias and in the outputs.
	MOVQ panelArgs_weights(AX), SI
	ADDQ $32, SI
	ADDQ $32, BX
	ADDQ $32, DX
	JMP  rows

next:
	MOVQ DI, R13
	MOVQ R9, R14
	LEAQ (R8)(R11*4), R8
	DECQ R12
	JNZ  tile
	VZEROUPPER
	RET
