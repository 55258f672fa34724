// What build.rs compiles: VkFFT over functions of Vulkan that are looked up at run time, so that the program starts where there is no
// Vulkan. Debian's -lvulkan would make the system refuse to start it.
#define VK_NO_PROTOTYPES
#define VKFFT_BACKEND 0
#include <vulkan/vulkan.h>

#define FUNCTIONS(each) \
  each(vkAllocateCommandBuffers) each(vkAllocateDescriptorSets) each(vkAllocateMemory) each(vkBeginCommandBuffer) \
  each(vkBindBufferMemory) each(vkCmdBindDescriptorSets) each(vkCmdBindPipeline) each(vkCmdCopyBuffer) each(vkCmdDispatch) \
  each(vkCmdPipelineBarrier) each(vkCmdPushConstants) each(vkCreateBuffer) each(vkCreateComputePipelines) \
  each(vkCreateDescriptorPool) each(vkCreateDescriptorSetLayout) each(vkCreatePipelineLayout) each(vkCreateShaderModule) \
  each(vkDestroyBuffer) each(vkDestroyDescriptorPool) each(vkDestroyDescriptorSetLayout) each(vkDestroyPipeline) \
  each(vkDestroyPipelineLayout) each(vkDestroyShaderModule) each(vkEndCommandBuffer) each(vkFreeCommandBuffers) each(vkFreeMemory) \
  each(vkGetBufferMemoryRequirements) each(vkGetPhysicalDeviceMemoryProperties) each(vkGetPhysicalDeviceProperties) \
  each(vkMapMemory) each(vkQueueSubmit) each(vkResetFences) each(vkUnmapMemory) each(vkUpdateDescriptorSets) each(vkWaitForFences)

#define DECLARE(name) static PFN_##name name;
FUNCTIONS(DECLARE)

// Looks the functions up; returns how many are missing.
static inline int load_vulkan(PFN_vkGetInstanceProcAddr lookup, VkInstance instance) {
  int missing = 0;
#define LOAD(name) missing += !(name = (PFN_##name)lookup(instance, #name));
  FUNCTIONS(LOAD)
  return missing;
}

#include "vkFFT.h"
